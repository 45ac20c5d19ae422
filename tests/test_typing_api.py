"""The types that the public API promises: mypy reads `typing_api.py`, as it reads every test; here it runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests import typing_api

import otel_sessions


def test_the_calls_that_are_typed_also_run() -> None:
    """The lines whose types mypy checks with `assert_type` run."""
    asyncio.run(typing_api.types_of_decorated())
    asyncio.run(typing_api.types_of_scopes())
    typing_api.types_of_functions()
    typing_api.types_of_sessions()
    typing_api.types_of_rollups()
    with pytest.raises(TypeError):
        typing_api.types_of_wrong_calls()


def test_everything_that_is_exported_exists() -> None:
    """`__all__` is complete and sorted."""
    names = otel_sessions.__all__
    assert names == sorted(names)
    assert all(hasattr(otel_sessions, name) for name in names)
    assert (Path(otel_sessions.__file__).parent / "py.typed").exists()

"""A server that runs from its sources says so."""

from __future__ import annotations

import logging
from types import ModuleType

import pytest

from otel_sessions.server.process.compiled import log_if_uncompiled


@pytest.mark.parametrize(("file", "lines"), [("row_binary.cpython-311-x86_64-linux-gnu.so", 0), ("row_binary.py", 1)])
def test_only_sources_are_logged(caplog: pytest.LogCaptureFixture, file: str, lines: int) -> None:
    """A module that was loaded from its source has one line with the next step, a compiled one none."""
    module = ModuleType("row_binary")
    module.__file__ = f"/somewhere/{file}"
    with caplog.at_level(logging.INFO, "otel_sessions"):
        log_if_uncompiled(module)
    assert len(caplog.messages) == lines
    assert all("install a wheel for this platform, or install a C compiler" in line for line in caplog.messages)

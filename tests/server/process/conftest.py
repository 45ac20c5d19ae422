"""What tests of one server process share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of an embedded store that does not exist yet."""
    return tmp_path / "store"

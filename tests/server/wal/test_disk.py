"""Files are replaced as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from otel_sessions.server.wal.disk import replace_file, sync_folder


def test_a_file_has_the_old_or_the_new_content(tmp_path: Path) -> None:
    """A file is replaced by a finished one, and no draft is left."""
    file = tmp_path / "number"
    for content in (b"1", b"22"):
        replace_file(file, content)
        assert file.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["number"]


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    """The names in a folder that does not exist cannot be written."""
    with pytest.raises(FileNotFoundError):
        sync_folder(tmp_path / "gone")

"""No other user of the machine reads what a store keeps, also if it was made when they could."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import pytest
from tests.exporting import finished
from tests.server.running import Server

from otel_sessions.server.process.private_files import make_private, new_files_private

OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def shared(paths: Iterable[Path]) -> list[Path]:
    """Those of the paths that other users have rights to; the engine removes files while a server runs."""
    found = []
    for path in paths:
        with suppress(FileNotFoundError):
            mode = path.lstat().st_mode
            if not stat.S_ISLNK(mode) and mode & OF_OTHERS:
                found.append(path)
    return found


def test_a_server_keeps_its_files_private(tmp_path: Path) -> None:
    """All that a server makes is private, and so is all that it finds in its folder, as from a backup that was unpacked."""
    folder = tmp_path / "store"
    with Server(folder) as server:
        assert server.send([finished(1, session="s")]) == 200
        assert server.get("/v1/sessions")["data"]
        assert shared([folder, *folder.rglob("*")]) == []
        assert server.stop()[0] == 0
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    with Server(folder) as server:
        assert server.get("/v1/sessions")["data"]
        assert shared([folder, *folder.rglob("*")]) == []
        assert "files and folders of the store" in server.stop()[2]


def test_what_is_not_ours_stays(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Things of the user beside the store, the folder that has them, and the targets of links keep their rights."""
    own, requests = tmp_path / "own.txt", tmp_path / "requests"
    own.write_text("")
    requests.mkdir()
    (requests / "link").symlink_to(own)
    (tmp_path / "store").symlink_to(requests)
    for path in (tmp_path, own, requests):
        path.chmod(0o755)
    make_private(tmp_path)
    assert shared([tmp_path, *tmp_path.rglob("*")]) == [tmp_path, own]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    caplog.clear()
    make_private(tmp_path)
    assert caplog.records == []


def test_what_cannot_be_changed_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file whose rights cannot be changed is named in a warning with the next step; one that is gone is not."""
    tmp_path.chmod(0o700)
    for name, mode in (("1.traces", 0o644), ("gone", 0o744)):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(mode)

    def refuse(_: int, mode: int) -> None:
        raise FileNotFoundError if mode & stat.S_IXUSR else PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchmod", refuse)
    make_private(tmp_path, is_ours=True)
    (record,) = caplog.records
    assert "1.traces (Operation not permitted)" in record.getMessage()
    assert "1 files and folders" in record.getMessage()


def test_new_files(tmp_path: Path) -> None:
    """Files and folders made meanwhile are private, and later ones are as before."""
    before = os.umask(0o022)
    try:
        with new_files_private():
            (tmp_path / "private").write_text("")
            (tmp_path / "folder").mkdir()
        (tmp_path / "public").write_text("")
    finally:
        os.umask(before)
    tmp_path.chmod(0o700)
    assert shared([tmp_path, *tmp_path.iterdir()]) == [tmp_path / "public"]

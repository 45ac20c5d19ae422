"""A folder is for one process at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from otel_sessions.server.clickhouse.errors import StoreError, StoreLockedError
from otel_sessions.server.clickhouse.folder_lock import LOCK_FILE, FolderLock

HOLD = """
import sys
from pathlib import Path
from otel_sessions.server.clickhouse.folder_lock import FolderLock
lock = FolderLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.readline()
"""


def test_another_process_is_named(tmp_path: Path) -> None:
    """The message has the folder and the pid; when that process dies, however it does, the folder is free."""
    folder = tmp_path / "new" / "store"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreLockedError, match=f"pid {holder.pid};") as raised:
            FolderLock(folder)
        assert str(folder) in str(raised.value)
        holder.kill()
    FolderLock(folder).release()


def test_the_same_process_is_refused_too(tmp_path: Path) -> None:
    """Two stores on one folder would write over each other; after release the next one may."""
    lock = FolderLock(tmp_path)
    with pytest.raises(StoreLockedError, match=f"pid {os.getpid()};"):
        FolderLock(tmp_path)
    lock.release()
    again = FolderLock(tmp_path)
    assert (tmp_path / LOCK_FILE).read_text() == f"{os.getpid()}\n"
    again.release()


def test_a_holder_that_left_no_pid(tmp_path: Path) -> None:
    """A file that is locked but empty still gives a message."""
    lock = FolderLock(tmp_path)
    (tmp_path / LOCK_FILE).write_text("")
    with pytest.raises(StoreLockedError, match="pid unknown"):
        FolderLock(tmp_path)
    lock.release()


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    """A file where the folder should be: the message names it and another way."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="choose another with --store"):
        FolderLock(tmp_path / "file" / "store")

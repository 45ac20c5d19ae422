"""One process at a time can use a store folder."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests import processes

from otel_sessions.server.clickhouse.errors import StoreError, StoreLockedError
from otel_sessions.server.clickhouse.folder_lock import LOCK_FILE, PID_FILE, FolderLock

HOLD = """
import sys
from pathlib import Path
from otel_sessions.server.clickhouse.folder_lock import FolderLock
lock = FolderLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.readline()
"""


def test_another_process_is_named(tmp_path: Path) -> None:
    """The message has the folder and the pid of the holder, and the folder is free once that process is killed."""
    folder = tmp_path / "new" / "store"
    with processes.started(sys.executable, "-c", HOLD, folder, stdin=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        for _ in range(2):
            with pytest.raises(StoreLockedError, match=f"pid {holder.pid};") as raised:
                FolderLock(folder)
            assert str(folder) in str(raised.value)
    FolderLock(folder).release()


def test_the_same_process_is_refused_too(tmp_path: Path) -> None:
    """A second lock of the same process on a folder is refused; after release the folder can be locked again."""
    lock = FolderLock(tmp_path)
    with pytest.raises(StoreLockedError, match=f"pid {os.getpid()};"):
        FolderLock(tmp_path)
    lock.release()
    again = FolderLock(tmp_path)
    assert (tmp_path / PID_FILE).read_text() == f"{os.getpid()}\n"
    again.release()
    assert not (tmp_path / PID_FILE).exists()


def test_another_thread_may_release(tmp_path: Path) -> None:
    """A lock can be released by another thread than the one that took it."""
    lock = FolderLock(tmp_path)
    thread = threading.Thread(target=lock.release)
    thread.start()
    thread.join(30)
    FolderLock(tmp_path).release()


@pytest.mark.parametrize("lost", [True, False])
def test_a_holder_without_a_pid(tmp_path: Path, lost: bool) -> None:
    """A lock whose pid file is empty or missing is reported with an unknown pid."""
    lock = FolderLock(tmp_path)
    if lost:
        (tmp_path / PID_FILE).unlink()
    else:
        (tmp_path / PID_FILE).write_text("")
    with pytest.raises(StoreLockedError, match="pid unknown"):
        FolderLock(tmp_path)
    lock.release()


def test_symbolic_links_are_not_followed(tmp_path: Path) -> None:
    """A link in place of the lock file is refused, and one in place of the pid file is replaced; the target stays unchanged."""
    target = tmp_path / "target"
    target.write_text("precious")
    folder = tmp_path / "store"
    folder.mkdir()
    (folder / LOCK_FILE).symlink_to(target)
    with pytest.raises(StoreError, match=f"{LOCK_FILE} is a symbolic link, which is not followed; remove it"):
        FolderLock(folder)
    (folder / LOCK_FILE).unlink()
    (folder / PID_FILE).symlink_to(target)
    FolderLock(folder).release()
    assert target.read_text() == "precious"


def test_a_folder_that_cannot_be_created(tmp_path: Path) -> None:
    """A folder that cannot be created raises an error that names the next step."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="choose another with --store"):
        FolderLock(tmp_path / "file" / "store")


def test_a_pid_file_that_cannot_be_written(tmp_path: Path) -> None:
    """A failure after the folder is locked unlocks it again."""
    (tmp_path / PID_FILE).mkdir()
    with pytest.raises(StoreError, match="cannot be used"):
        FolderLock(tmp_path)
    (tmp_path / PID_FILE).rmdir()
    FolderLock(tmp_path).release()

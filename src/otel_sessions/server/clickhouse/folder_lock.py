"""`FolderLock`: one process at a time works on a folder."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from otel_sessions.server.clickhouse.errors import StoreError, StoreLockedError

LOCK_FILE: Final = "otel-sessions.lock"
PID_FILE: Final = "otel-sessions.pid"
"""The holder's pid, in a file of its own: on Windows no other process can read a locked file."""


class FolderLock:
    """Held from construction until `release`, or until the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        """Lock a folder, which is created if need be.

        Raises:
            StoreLockedError: another process, or another store of this one, holds it.
            StoreError: the folder cannot be created or written.
        """
        self._pid_file = folder / PID_FILE
        # Soft locks would outlive a killed process; the lock is released by another thread than the one that took it.
        self._lock = FileLock(folder / LOCK_FILE, mode=0o600, thread_local=False, fallback_to_soft=False)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(blocking=False)
            self._write_pid()
        except Timeout:
            raise StoreLockedError(
                f"the store folder {folder} is in use by the process with pid {self._holder()}; "
                "stop that process, or choose another folder with --store"
            ) from None
        except OSError as error:
            self._lock.release()
            if (folder / LOCK_FILE).is_symlink():
                raise StoreError(
                    f"the lock file {folder / LOCK_FILE} is a symbolic link, which is not followed; remove it"
                ) from error
            raise StoreError(
                f"the store folder {folder} cannot be used ({error}); choose another with --store, or change its owner"
            ) from error

    def release(self) -> None:
        """Unlock the folder."""
        with suppress(OSError):
            self._pid_file.unlink()
        self._lock.release()

    def _write_pid(self) -> None:
        # A new file each time: opening one that exists would follow a symbolic link.
        self._pid_file.unlink(missing_ok=True)
        file = os.open(self._pid_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(file, f"{os.getpid()}\n".encode())
        finally:
            os.close(file)

    def _holder(self) -> str:
        try:
            holder = self._pid_file.read_text(encoding="ascii", errors="replace").strip()
        except OSError:
            return "unknown"
        return holder if holder.isdecimal() else "unknown"

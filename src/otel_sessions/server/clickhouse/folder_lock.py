"""`FolderLock`: one process at a time works on a folder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

from otel_sessions.server.clickhouse.errors import StoreError, StoreLockedError

LOCK_FILE: Final = "otel-sessions.lock"


class FolderLock:
    """Held from construction until `release`, or until the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        """Lock a folder, which is created if need be.

        Raises:
            StoreLockedError: if another process, or another store of this one, holds it.
            StoreError: if the folder cannot be created or written.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(
                f"the store folder {folder} cannot be used ({error}); choose another with --store, or change its owner"
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._file, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            raise StoreLockedError(
                f"the store folder {folder} is in use by the process with pid {holder}; "
                "stop that process, or choose another folder with --store"
            ) from error
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let others have the folder."""
        os.ftruncate(self._file, 0)
        os.close(self._file)

"""`new_files_private`, `make_private`: no other user of the machine reads what a store keeps."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from otel_sessions.server.clickhouse.folder_lock import LOCK_FILE, PID_FILE
from otel_sessions.server.process.settings import REQUESTS_FOLDER

logger: Final = logging.getLogger("otel_sessions.server")

_OF_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_OURS: Final = frozenset(
    {
        *(LOCK_FILE, PID_FILE, REQUESTS_FOLDER),
        # What ClickHouse makes in its folder.
        *("access", "data", "dictionaries_lib", "disks", "flags", "format_schemas", "metadata", "metadata_dropped"),
        *("named_collections", "preprocessed_configs", "status", "store", "tmp", "user_defined", "user_files"),
        *("user_scripts", "uuid"),
    }
)
"""The names in a store folder that are ours. The folder may be one in which a user also keeps other things."""


@contextmanager
def new_files_private() -> Iterator[None]:
    """Within, this process makes files and folders that only its user can use."""
    before = os.umask(_OF_OTHERS)
    try:
        yield
    finally:
        os.umask(before)


def make_private(folder: Path, *, is_ours: bool = False) -> None:
    """Take all rights of other users from what a store has in a folder, and from the folder if it has nothing else.

    Links are not followed. What cannot be changed, such as a file of another owner, is named in a warning.

    Args:
        folder: of a store, or of requests.
        is_ours: whether all that is in it is ours, whatever its name.
    """
    if os.name == "nt":  # pragma: no cover - rights are no bits there
        return
    changed = 0
    failed: dict[Path, str] = {}
    for path in _of_store(folder, is_ours=is_ours):
        try:
            changed += _take_rights(path)
        except FileNotFoundError:
            continue  # Another process has removed it.
        except OSError as error:
            failed[path] = error.strerror or str(error)
    if changed:
        logger.warning(
            "other users could read %d files and folders of the store %s; they are private now", changed, folder
        )
    if failed:
        path, why = next(iter(failed.items()))
        logger.warning(
            "other users may read %d files and folders of the store %s, which cannot be made private, such as %s (%s); "
            "change their owner, or take the rights of group and others from them",
            *(len(failed), folder, path, why),
        )


def _of_store(folder: Path, *, is_ours: bool) -> Iterator[Path]:
    """What a store has in a folder, each folder before what is in it."""
    found = {path.name for path in folder.iterdir()}
    names = found if is_ours else found & _OURS
    if names == found:
        yield folder
    for name in sorted(names):
        yield folder / name
        # A link is listed, but not followed, as is a link below.
        if not (folder / name).is_symlink():
            for path, folders, files in os.walk(folder / name):
                yield from (Path(path, one) for one in (*folders, *files))


def _take_rights(path: Path) -> bool:
    """Take the rights of other users from a file or a folder, and return True if they had any."""
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode) or not mode & _OF_OTHERS:
        return False
    # By its descriptor, so that a link that took its place is not followed.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        os.fchmod(descriptor, stat.S_IMODE(mode) & ~_OF_OTHERS)
    finally:
        os.close(descriptor)
    return True

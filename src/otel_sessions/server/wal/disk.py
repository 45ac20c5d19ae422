"""`sync_folder`, `write_file`, `replace_file`: files that survive the death of the machine, their names and their contents."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_CAN_SYNC_FOLDERS: Final = os.name == "posix"
"""Windows opens no folder, and writes names to the disk by itself."""


def sync_folder(folder: Path) -> None:
    """Write the names in a folder to the disk: files that were made, renamed or deleted in it.

    Raises:
        OSError: it cannot be done.
    """
    if not _CAN_SYNC_FOLDERS:  # pragma: no cover
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def write_file(path: Path, content: bytes) -> None:
    """Write a file whose content is on the disk before its name can be changed; `sync_folder` writes its name.

    Without this a file system may write the new name first, and after a power failure the file is there and empty.

    Raises:
        OSError: it cannot be written.
    """
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, content: bytes) -> None:
    """Write a file as a whole: whenever the machine dies, it has the old content or the new one.

    Raises:
        OSError: it cannot be written; the old content stays.
    """
    draft = path.with_name(f"{path.name}.new")
    write_file(draft, content)
    draft.replace(path)
    sync_folder(path.parent)

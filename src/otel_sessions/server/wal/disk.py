"""`sync_folder`, `replace_file`: files whose names survive the death of the machine, not only their contents."""

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


def replace_file(path: Path, content: str) -> None:
    """Write a file as a whole: whenever the machine dies, it has the old content or the new one.

    Raises:
        OSError: it cannot be written; the old content stays.
    """
    draft = path.with_name(f"{path.name}.new")
    with draft.open("w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)

"""A file system whose power can be cut: what was not written to its disk is gone.

It is an ext4 file system in an image file. `cut` shuts it down with ext4's own `EXT4_IOC_SHUTDOWN`, which drops everything
that is only in memory, at one moment, as a power failure does. This needs Linux, root, `mkfs.ext4` and a free loop device.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from tests import processes

SHUTDOWN: Final = 0x8004587D
"""`EXT4_IOC_SHUTDOWN` of linux/ext4.h."""

WITHOUT_FLUSH: Final = 2
"""`EXT4_GOING_FLAGS_NOLOGFLUSH`: neither data nor journal are written first."""

MEGABYTES: Final = 800


class Disk:
    """The file system, mounted on a folder."""

    def __init__(self, image: Path, folder: Path) -> None:
        self.folder = folder
        self._image = image

    def mount(self) -> None:
        """Mount it; ext4 repairs itself from its journal."""
        _run("mount", "-o", "loop", self._image, self.folder)

    def unmount(self) -> None:
        """Unmount it."""
        _run("umount", self.folder)

    def cut(self) -> None:
        """Lose what is not on the disk; until the next `mount` nothing can be read or written.

        A sync that is under way can return success and have written nothing: what a process says from here on proves nothing.
        """
        import fcntl  # not on Windows

        opened = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(opened, SHUTDOWN, struct.pack("I", WITHOUT_FLUSH))
        finally:
            os.close(opened)


@contextmanager
def mounted(folder: Path) -> Iterator[Disk]:
    """A new, mounted file system; the test is skipped, with the reason, where there can be none."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("cutting the power needs Linux and root, to mount a file system")
    disk = Disk(folder / "disk.img", folder / "disk")
    disk.folder.mkdir()
    with (folder / "disk.img").open("wb") as image:
        image.truncate(MEGABYTES << 20)
    try:
        _run("mkfs.ext4", "-q", "-F", folder / "disk.img")
        disk.mount()
    except OSError as error:
        pytest.skip(f"cutting the power needs mkfs.ext4 and a loop device: {error}")
    try:
        yield disk
    finally:
        disk.unmount()
        (folder / "disk.img").unlink()


def _run(*command: str | Path) -> None:
    done = processes.run(*command)
    if done.returncode:
        raise OSError(f"{command[0]} failed: {done.stderr.strip()}")

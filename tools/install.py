"""`pip install`, saying in few lines what it is doing: `python -m tools.install ARGUMENTS OF PIP`.

Large downloads and slow steps are named, with their size and how far they are. A terminal gets them on one line that changes, a log a
line each. Only the standard library is imported, since nothing else is installed yet.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import Final

LARGE: Final = 5_000_000
"""Bytes from which a download is named."""

STEP: Final = 25
"""Per cent of a large download after which a log gets a line."""

_DOWNLOADING: Final = re.compile(r"\s*Downloading (?P<file>\S+)")
_PROGRESS: Final = re.compile(r"Progress (?P<got>\d+) of (?P<all>\d+)")
_PREPARING: Final = re.compile(
    r"\s*(?:Installing build dependencies|Building (?:editable|wheel) for (?P<name>\S+)).*?(?P<started>started)?$"
)
_INSTALLING: Final = re.compile(r"Installing collected packages: (?P<names>.+)")


class Install:
    """One run of pip, read from its output."""

    def __init__(self, *, terminal: bool) -> None:
        """On a terminal every change is said, else only the steps."""
        self._terminal = terminal
        self._file = ""
        self._files = 0
        self._bytes = 0
        self._said = -1

    def read(self, lines: Iterable[str]) -> Iterator[str]:
        """What to say about the lines of pip with `--progress-bar raw`, while they come."""
        for line in lines:
            if found := _DOWNLOADING.match(line):
                self._file, self._said = found["file"].partition("-")[0], -1
                self._files += 1
            elif found := _PROGRESS.match(line):
                yield from self._progress(int(found["got"]), int(found["all"]))
            elif found := _PREPARING.match(line):
                if found["started"] and found["name"]:
                    yield f"building {found['name']}, which compiles it where there is a C compiler: about a minute"
            elif found := _INSTALLING.match(line):
                number = found["names"].count(",") + 1
                yield f"downloaded {self._files} files, {self._bytes / 1e6:.0f} MB; unpacking {number} packages"

    def _progress(self, got: int, size: int) -> Iterator[str]:
        if got == size:
            self._bytes += size
        if size < LARGE:
            return
        per_cent = 100 * got // size
        if not self._terminal:
            per_cent -= per_cent % STEP
        if per_cent > self._said:
            self._said = per_cent
            yield f"downloading {self._file}: {per_cent} % of {size / 1e6:.0f} MB"


def main(arguments: list[str]) -> int:
    """Run pip and say what it does; if it fails, its whole output follows. Returns its exit status."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--progress-bar",
        "raw",
        *arguments,
    ]
    terminal = sys.stdout.isatty()
    output: list[str] = []

    def lines(stream: Iterable[str]) -> Iterator[str]:
        for line in stream:
            output.append(line)
            yield line

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as pip:
        assert pip.stdout is not None
        for said in Install(terminal=terminal).read(lines(pip.stdout)):
            # On a terminal the line before is overwritten: back to its start, and what is left of it is erased.
            print(f"\r  {said}\x1b[K" if terminal else f"  {said}", end="" if terminal else "\n", flush=True)
    if terminal:
        print()
    if pip.returncode != 0:
        print("".join(output), end="", file=sys.stderr)
    return pip.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

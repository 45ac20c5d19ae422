"""Numbers are used once in a folder, and identities once in the world."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from otel_sessions.server.signals import LOGS
from otel_sessions.server.wal.numbering import Numbering
from otel_sessions.server.wal.segments import Segment, record_of


def start(folder: Path, *, segments: int = 0) -> Numbering:
    """A process that wrote segments and died."""
    numbering = Numbering(folder)
    numbering.reserve()
    numbering.reserve()
    for number in range(numbering.first, numbering.first + segments):
        segment = Segment(folder, number)
        segment.append(LOGS, b"x", record_of(b"x"))
        segment.close()
    return numbering


def test_identities_hold_over_starts(tmp_path: Path) -> None:
    """A segment that is left keeps its identity, and no other one has it."""
    first = start(tmp_path, segments=2)
    second = start(tmp_path, segments=1)
    third = start(tmp_path)
    assert first.first < second.first < third.first
    assert third.identity(first.first + 1) == first.identity(first.first + 1)
    assert third.identity(second.first) == second.identity(second.first)
    numbers = [first.first, first.first + 1, second.first, third.first, third.first + 1]
    assert len({third.identity(number) for number in numbers}) == 5


def test_a_lost_folder_and_one_from_a_backup(tmp_path: Path) -> None:
    """The numbers begin again, the identities do not."""
    backup = tmp_path / "backup"
    folder = tmp_path / "requests"
    folder.mkdir()
    start(folder)
    shutil.copytree(folder, backup)
    begun = start(folder)
    restored = start(backup)
    assert restored.first == begun.first
    assert restored.identity(begun.first) != begun.identity(begun.first)


def test_only_identities_that_are_needed_are_kept(tmp_path: Path) -> None:
    """Without segments of earlier processes there is one line for this process."""
    for _ in range(3):
        start(tmp_path)
    assert len((tmp_path / "next-segment").read_text().split("\n")) == 2


def test_segments_of_an_older_version(tmp_path: Path) -> None:
    """Their identity is their number, under which rows may be stored."""
    (tmp_path / "next-segment").write_text("1000001")
    segment = Segment(tmp_path, 7)
    segment.append(LOGS, b"x", record_of(b"x"))
    segment.close()
    numbering = start(tmp_path)
    assert numbering.first == 1_000_001
    assert numbering.identity(7) == 7
    assert numbering.identity(10**30) < 2**64


@pytest.mark.parametrize("content", [b"", b"\xff", bytes(4096), b"5\nx y"])
def test_a_file_that_cannot_be_read_as_numbers(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Numbers go on from the clock, and the log says so."""
    (tmp_path / "next-segment").write_bytes(content)
    assert start(tmp_path).first > 10**12
    assert "does not hold a number" in caplog.text

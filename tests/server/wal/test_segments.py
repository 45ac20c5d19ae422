"""The files of the write-ahead log: acknowledged requests are read back, whatever happened to the rest."""

from __future__ import annotations

import errno
from io import FileIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_sessions.server.signals import LOGS, TRACES
from otel_sessions.server.wal.segments import (
    Segment,
    index_of,
    move_aside,
    path_of,
    read_segment,
    record_of,
    remove_half_deleted,
    remove_segment,
    segment_numbers,
)


def append(segment: Segment, signal: str, payload: bytes) -> None:
    """Write one request."""
    segment.append(signal, payload, record_of(payload))


def write(folder: Path, *payloads: bytes, signal: str = TRACES, number: int = 7, sync: bool = False) -> Segment:
    """A closed segment with these requests."""
    segment = Segment(folder, number, sync=sync)
    for payload in payloads:
        append(segment, signal, payload)
    segment.close()
    return segment


@pytest.mark.parametrize("sync", [False, True])
def test_requests_are_read_back_by_signal(tmp_path: Path, sync: bool) -> None:
    """Each signal has its files, and its order is kept."""
    segment = Segment(tmp_path, 1, sync=sync)
    append(segment, TRACES, b"one")
    append(segment, LOGS, b"two")
    append(segment, TRACES, b"three")
    segment.close()
    assert list(read_segment(tmp_path, 1)) == [(TRACES, b"one"), (TRACES, b"three"), (LOGS, b"two")]
    assert path_of(tmp_path, 1, TRACES).read_bytes() == b"onethree"


@given(cut=st.integers(0, 60), payloads=st.lists(st.binary(max_size=9), min_size=1, max_size=3))
def test_a_torn_index_leaves_out_the_tail_only(tmp_path_factory: Any, cut: int, payloads: list[bytes]) -> None:
    """Wherever a crash cut the index, the requests that are read are the first ones that were written."""
    folder = tmp_path_factory.mktemp("wal")
    write(folder, *payloads)
    index = index_of(folder, 7, TRACES)
    content = index.read_bytes()
    index.write_bytes(content[: max(0, len(content) - cut)])
    read = [payload for _, payload in read_segment(folder, 7)]
    assert read == payloads[: len(read)]
    assert len(payloads) - -(-cut // 16) <= len(read)


@pytest.mark.parametrize("damage", ["data", "index"])
def test_a_damaged_request_is_passed_over(tmp_path: Path, damage: str) -> None:
    """Bytes that do not fit their checksum are not taken for a request, and the next request is read."""
    write(tmp_path, b"good", b"bad!", b"after")
    path = path_of(tmp_path, 7, TRACES) if damage == "data" else index_of(tmp_path, 7, TRACES)
    content = bytearray(path.read_bytes())
    content[5 if damage == "data" else 17] ^= 1
    path.write_bytes(content)
    assert [payload for _, payload in read_segment(tmp_path, 7)] == [b"good", b"after"]


def test_data_that_is_shorter_than_its_index(tmp_path: Path) -> None:
    """The files are written one after the other; after a power cut the data may be the shorter one."""
    write(tmp_path, b"good", b"lost")
    path_of(tmp_path, 7, TRACES).write_bytes(b"goodlo")
    assert [payload for _, payload in read_segment(tmp_path, 7)] == [b"good"]


def test_damaged_files_get_other_names(tmp_path: Path) -> None:
    """They are kept, and no longer found as a segment."""
    write(tmp_path, b"x")
    index_of(tmp_path, 7, TRACES).unlink()
    kept = move_aside(tmp_path, 7, TRACES)
    assert (kept.name, kept.read_bytes()) == ("000000000007.traces.damaged", b"x")
    assert segment_numbers(tmp_path) == []


def test_a_half_deleted_segment_is_not_a_damaged_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that dies while it deletes a segment leaves nothing that is read or said again."""
    write(tmp_path, b"x")
    with monkeypatch.context() as dying:
        dying.setattr(Path, "unlink", lambda *_, **__: pytest.fail("killed"))
        with pytest.raises(pytest.fail.Exception):
            remove_segment(tmp_path, 7)
    assert list(tmp_path.iterdir()) != []
    remove_half_deleted(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_segments_are_found_in_order_and_removed(tmp_path: Path) -> None:
    """Other files in the folder are left alone."""
    write(tmp_path, b"x", number=12)
    write(tmp_path, b"y", number=3, signal=LOGS)
    (tmp_path / "000000000005-1.traces.refused").write_bytes(b"z")
    (tmp_path / "notes.traces").write_bytes(b"z")
    (tmp_path / "000000000009.traces").mkdir()
    assert segment_numbers(tmp_path) == [3, 12]
    remove_segment(tmp_path, 12)
    remove_segment(tmp_path, 12)
    assert segment_numbers(tmp_path) == [3]
    assert list(read_segment(tmp_path, 12)) == []


class FullDisk(FileIO):
    """A file on a disk that fills up.

    Attributes:
        room: the bytes that can still be written; `None` for any number.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "ab")
        self.room: int | None = None

    def write(self, content: Any) -> int:
        """Write what there is room for."""
        if self.room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(content[: self.room])


@pytest.mark.parametrize("room", [0, 3])
def test_a_request_that_cannot_be_written_leaves_no_trace(tmp_path: Path, room: int) -> None:
    """On a full disk the segment stays as it was, so what comes later can still be read.

    A disk that is nearly full takes a part of what is written, and no error is raised.
    """
    files: list[FullDisk] = []

    def open_file(path: Path) -> Any:
        files.append(FullDisk(path))
        return files[-1]

    segment = Segment(tmp_path, 1, open_file=open_file)
    append(segment, TRACES, b"before")
    _, index = files
    index.room = room
    with pytest.raises(OSError, match=r"No space|only 3 of 16 bytes"):
        append(segment, TRACES, b"refused")
    index.room = None
    append(segment, TRACES, b"after")
    segment.close()
    assert [payload for _, payload in read_segment(tmp_path, 1)] == [b"before", b"after"]

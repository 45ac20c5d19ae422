"""`salvage`: the requests of a segment's two files, also when bytes of them are damaged.

Requests lie one after the other, and the index has the length and checksum of each. So a damaged request is passed over,
since its length is known. Behind a damaged record of the index the next request is found again by its checksum: at the
beginnings of protobuf fields from there on, since requests consist of whole fields, or counted back from the end of the file.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

RECORD: Final = struct.Struct("<QII")
"""Of the index: the length and checksum of a request, and the checksum of these two."""

_LENGTHS: Final = struct.Struct("<QI")
_LONGEST_LENGTH: Final = 35
"""Bits of the longest length that protobuf writes."""

_FIELD_OF_REQUESTS: Final = 0x0A
"""The tag of the only field that a request has: number 1, with a length."""


class Salvaged(NamedTuple):
    """What could be read of a segment's requests of one signal.

    Attributes:
        requests: in order.
        lost: the number of requests that could not be read, as far as they can be counted.
        is_damaged: True if anything was not as it was written. A torn end, which was never acknowledged, is no damage.
    """

    requests: list[bytes]
    lost: int = 0
    is_damaged: bool = False


def record_of(payload: bytes) -> bytes:
    """The index record of a request."""
    length, checksum = len(payload), zlib.crc32(payload)
    return RECORD.pack(length, checksum, zlib.crc32(_LENGTHS.pack(length, checksum)))


def salvage(data: bytes, index: bytes, *, unindexed: bool = True) -> Salvaged:
    """The requests of the two files of a signal.

    Args:
        data: the requests.
        index: their records.
        unindexed: also take bytes at the end of the data that have no record, if the index lacks records.
    """
    records = list(_records(index))
    reading = _Reading(data)
    for number, record in enumerate(records):
        if record is None:
            reading.gap += 1
        else:
            reading.take(*record, behind=sum(one[0] for one in records[number:] if one is not None))
    # Records at the end that are no records may be what a power failure left behind the last one.
    rest = data[reading.offset :]
    index_is_short = not records or records[-1] is None or len(index) % RECORD.size != 0
    if not rest or not index_is_short:
        is_damaged = bool(reading.lost or reading.passed_gaps)
        return Salvaged(reading.requests, reading.lost, is_damaged)
    found = rest[: _end_of_fields(rest)] if unindexed else b""
    if found:
        reading.requests.append(found)
    return Salvaged(reading.requests, reading.lost + (len(found) < len(rest)), is_damaged=True)


class _Reading:
    """How far the data is read.

    Attributes:
        requests: those that were found.
        lost: how many were not.
        offset: where the next one begins, if `gap` is 0.
        gap: how many records before the next one cannot be read.
        passed_gaps: how many could not, with a readable one after them.
    """

    def __init__(self, data: bytes) -> None:
        self.requests: list[bytes] = []
        self.lost = self.offset = self.gap = self.passed_gaps = 0
        self._data = data

    def take(self, length: int, checksum: int, *, behind: int) -> None:
        """Read the request of a record; `behind` is the number of bytes that it and all later ones have."""
        if self.gap and not self._pass_gap(length, checksum, behind):
            self.gap += 1
            return
        if self._is_at(self.offset, length, checksum):
            self.requests.append(self._data[self.offset : self.offset + length])
        else:
            self.lost += 1
        self.offset = min(self.offset + length, len(self._data))

    def _pass_gap(self, length: int, checksum: int, behind: int) -> bool:
        """Go on at the request with this checksum; return False if it is not found."""
        begins = (*_beginnings_of_fields(self._data, self.offset), len(self._data) - behind)
        found = next((begin for begin in begins if begin >= 0 and self._is_at(begin, length, checksum)), None)
        if found is None:
            return False
        between = self._data[self.offset : found]
        if self.gap == 1 and between and _end_of_fields(between) == len(between):
            # One request without a record: the decoder finds out whether it is one.
            self.requests.append(between)
        else:
            self.lost += self.gap
        self.passed_gaps += self.gap
        self.offset, self.gap = found, 0
        return True

    def _is_at(self, begin: int, length: int, checksum: int) -> bool:
        payload = self._data[begin : begin + length]
        return len(payload) == length and zlib.crc32(payload) == checksum


def _records(index: bytes) -> Iterator[tuple[int, int] | None]:
    """Length and checksum of each request; `None` for a record that is damaged."""
    for start in range(0, len(index) - RECORD.size + 1, RECORD.size):
        length, checksum, own = RECORD.unpack_from(index, start)
        yield (length, checksum) if zlib.crc32(_LENGTHS.pack(length, checksum)) == own else None


def _beginnings_of_fields(data: bytes, begin: int) -> Iterator[int]:
    """Where the fields of requests begin, from one on, and where the last one ends, as far as the bytes are such fields."""
    yield begin
    while begin < len(data) and data[begin] == _FIELD_OF_REQUESTS:
        length, shift, begin = 0, 0, begin + 1
        while begin < len(data) and shift < _LONGEST_LENGTH:
            byte, begin = data[begin], begin + 1
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        else:
            return
        begin += length
        if begin > len(data):
            return
        yield begin


def _end_of_fields(data: bytes) -> int:
    """How many of the first bytes are whole fields of requests."""
    *_, end = _beginnings_of_fields(data, 0)
    return end

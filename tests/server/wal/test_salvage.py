"""Requests are read from damaged files as far as they can be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.server.otlp.building import traces

from otel_sessions.server.wal.salvage import record_of, salvage

REQUESTS = [bytes(traces({"trace_id": bytes([n] * 16), "name": "x" * 60 * n}).SerializeToString()) for n in range(1, 9)]
DATA = b"".join(REQUESTS)
INDEX = b"".join(map(record_of, REQUESTS))
FIRST = len(REQUESTS[0])


def flipped(content: bytes, at: int) -> bytes:
    """The content with one bit changed."""
    return content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :]


def test_whole_files() -> None:
    """All requests are read, and nothing is said."""
    assert salvage(DATA, INDEX) == (REQUESTS, 0, False)
    assert salvage(b"", b"") == ([], 0, False)


@pytest.mark.parametrize("place", range(8))
def test_a_damaged_request_costs_itself_only(place: int) -> None:
    """Whichever request has a wrong byte, all others are read."""
    at = sum(map(len, REQUESTS[:place])) + len(REQUESTS[place]) // 2
    assert salvage(flipped(DATA, at), INDEX) == (REQUESTS[:place] + REQUESTS[place + 1 :], 1, True)


@pytest.mark.parametrize("byte", [0, 8, 12])
@pytest.mark.parametrize("place", range(8))
def test_a_damaged_record_costs_nothing(place: int, byte: int) -> None:
    """The next request is found again by its checksum, and the bytes between are the request without a record."""
    assert salvage(DATA, flipped(INDEX, place * 16 + byte)) == (REQUESTS, 0, True)


def test_several_damaged_records() -> None:
    """Requests without a record are not told apart, and those behind them are read."""
    found = salvage(DATA, flipped(flipped(INDEX, 16), 32))
    assert found == ([REQUESTS[0], *REQUESTS[3:]], 2, True)


def test_a_damaged_record_and_its_damaged_request() -> None:
    """The next request is found from the end of the file."""
    assert salvage(flipped(DATA, FIRST), flipped(INDEX, 16)) == ([REQUESTS[0], *REQUESTS[2:]], 1, True)


def test_a_damaged_record_and_the_damaged_request_behind_it() -> None:
    """Both are lost, and what follows is read."""
    at = FIRST + len(REQUESTS[1]) + 5
    assert salvage(flipped(DATA, at), flipped(INDEX, 16)) == ([REQUESTS[0], *REQUESTS[3:]], 2, True)


def test_a_short_index() -> None:
    """What lacks its records is read as one request, which it is; a part of a field at the end is lost."""
    assert salvage(DATA, INDEX[:-5]) == (REQUESTS, 0, True)
    assert salvage(DATA, b"") == ([DATA], 0, True)
    assert salvage(DATA + b"x" * 100, INDEX + b"y" * 100) == (REQUESTS, 1, True)
    assert salvage(DATA, b"", unindexed=False) == ([], 1, True)


def test_a_torn_end_is_no_damage() -> None:
    """A request whose record was not written was never acknowledged, and zeros may follow the last record."""
    assert salvage(DATA, INDEX[:-16]) == (REQUESTS[:-1], 0, False)
    assert salvage(DATA, INDEX + bytes(4096)) == (REQUESTS, 0, False)


def test_data_that_is_cut_or_zeroed() -> None:
    """What is left is read."""
    assert salvage(DATA[:-3], INDEX) == (REQUESTS[:-1], 1, True)
    assert salvage(b"", INDEX) == ([], 8, True)
    assert salvage(DATA[:FIRST] + bytes(len(DATA) - FIRST), INDEX) == (REQUESTS[:1], 7, True)


@pytest.mark.parametrize("tail", [b"\x0a", b"\x0a\xff\xff\xff\xff\xff\xff", b"\x0a\x7f", b"\x0a\x81\x01"])
def test_fields_that_are_cut(tail: bytes) -> None:
    """A field without its length, with an endless length or with too few bytes is not read."""
    assert salvage(REQUESTS[0] + tail, b"") == ([REQUESTS[0]], 1, True)


@given(data=st.data())
def test_any_damage_yields_written_requests_only(data: Any) -> None:
    """With any bytes of the data changed, only requests that were written are read, in order."""
    content = bytearray(DATA)
    for at in data.draw(st.lists(st.integers(0, len(DATA) - 1), max_size=5)):
        content[at] = data.draw(st.integers(0, 255))
    found = salvage(bytes(content), INDEX)
    places = [REQUESTS.index(request) for request in found.requests]
    assert places == sorted(set(places))
    assert len(places) + found.lost == len(REQUESTS)
    assert found.is_damaged == bool(found.lost)

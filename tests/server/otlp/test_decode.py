"""Whole bodies, valid and broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.server.otlp.building import log_requests, span_requests, traces
from tests.server.otlp.decoding import decode_logs, decode_spans

from otel_sessions.server.otlp.encodings import Format
from otel_sessions.server.otlp.errors import RequestError

Decode = Callable[[bytes, Format], Any]
every = pytest.mark.parametrize("decode", [decode_spans, decode_logs])


def _no_other_error(decode: Decode, body: bytes) -> None:
    for format_ in Format:
        try:
            decode(body, format_)
        except RequestError as error:
            assert str(error)  # noqa: PT017


@every
@settings(deadline=None)
@given(body=st.binary(max_size=300))
def test_random_bytes(decode: Decode, body: bytes) -> None:
    """Random bytes raise a request error or nothing."""
    _no_other_error(decode, body)


@settings(deadline=None)
@given(span_requests(), st.data())
def test_damaged_spans(request: Any, data: st.DataObject) -> None:
    """A request that is cut, or changed in places, raises a request error or nothing."""
    _no_other_error(decode_spans, _damaged(request, data))


@settings(deadline=None)
@given(log_requests(), st.data())
def test_damaged_logs(request: Any, data: st.DataObject) -> None:
    """A request of log records that is cut, or changed in places, raises a request error or nothing."""
    _no_other_error(decode_logs, _damaged(request, data))


def _damaged(request: Any, data: st.DataObject) -> bytes:
    body = bytearray(request.SerializeToString())
    places = st.integers(0, max(len(body) - 1, 0))
    if body:
        for place in data.draw(st.lists(places, max_size=4)):
            body[place] = data.draw(st.integers(0, 255))
        if data.draw(st.booleans()):
            del body[data.draw(places) :]
    return bytes(body)


def test_truncated() -> None:
    """A request that ends early is refused as a whole, wherever it was cut."""
    body = traces({"attributes": {"k": "v"}}).SerializeToString()
    for size in range(1, len(body)):
        with pytest.raises(RequestError):
            decode_spans(body[:size])


@every
def test_empty(decode: Decode) -> None:
    """An empty request is taken, and has no records."""
    for body, format_ in ((b"", Format.PROTOBUF), (b"{}", Format.JSON)):
        batch, rejected = decode(body, format_)
        assert (len(batch), rejected.total, rejected.message) == (0, 0, "")

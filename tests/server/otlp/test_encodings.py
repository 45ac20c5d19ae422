"""Decompression of bodies within limits, and the formats and encodings that headers name."""

from __future__ import annotations

import contextlib
import gzip
import random
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_sessions.server.otlp.encodings import Format, SizeLimits, decompress, encoding_of, format_of
from otel_sessions.server.otlp.errors import (
    MalformedError,
    RequestError,
    TooLargeError,
    UnsupportedContentTypeError,
    UnsupportedEncodingError,
)


def _bare_deflate(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(body) + compressor.flush()


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstd.compress,
}
every = pytest.mark.parametrize("encoding", COMPRESS)


@settings(deadline=None)
@given(st.binary(), st.sampled_from([*COMPRESS]))
def test_round_trip(body: bytes, encoding: str) -> None:
    """A body that was compressed in any of the known ways is read as it was before."""
    assert decompress(COMPRESS[encoding](body), encoding) == body


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from([*COMPRESS]))
def test_random_bytes(body: bytes, encoding: str) -> None:
    """Random bytes raise a request error or nothing."""
    with contextlib.suppress(RequestError):
        decompress(body, encoding)


@pytest.mark.parametrize("encoding", [None, "", "identity", " Identity "])
def test_identity(encoding: str | None) -> None:
    """A body without encoding is read as it is."""
    assert decompress(b"body", encoding) == b"body"


def test_names_in_any_case() -> None:
    """The name of an encoding may come in capitals."""
    assert decompress(gzip.compress(b"body"), " GZIP") == b"body"


@settings(deadline=None)
@given(st.binary(min_size=1))
def test_bare_deflate(body: bytes) -> None:
    """A deflate stream without zlib's header, as some clients send it, is read too."""
    assert decompress(_bare_deflate(body), "deflate") == body


@every
def test_empty(encoding: str) -> None:
    """An empty body is an empty request, whatever encoding it claims."""
    assert decompress(b"", encoding) == b""


@every
def test_truncated(encoding: str) -> None:
    """A body that ends early is malformed, wherever it was cut."""
    body = COMPRESS[encoding](random.Random(1).randbytes(300))
    for size in range(1, len(body)):
        with pytest.raises(MalformedError, match=f"not valid {encoding}"):
            decompress(body[:size], encoding)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_several_streams(encoding: str) -> None:
    """Up to 16 streams one after the other are one body, with zeros between and after them."""
    one = COMPRESS[encoding](b"one ")
    assert decompress(one * 3 + b"\0" * 20, encoding) == b"one one one "
    with pytest.raises(MalformedError, match="more than 16"):
        decompress(one * 17, encoding)


def test_another_encoding() -> None:
    """A body that is compressed in another way than it claims is malformed."""
    for encoding, others in (("gzip", "deflate"), ("zstd", "gzip"), ("deflate", "zstd")):
        with pytest.raises(MalformedError, match=f"not valid {encoding}"):
            decompress(COMPRESS[others](b"body"), encoding)


def test_garbage_after_the_end() -> None:
    """A body is malformed if anything but another stream follows the first one."""
    with pytest.raises(MalformedError, match="not valid gzip"):
        decompress(gzip.compress(b"body") + b"garbage", "gzip")


def test_compressed_limit() -> None:
    """A body over the limit is refused before decompression, and one at the limit is taken."""
    limits = SizeLimits(compressed=4)
    assert decompress(b"1234", limits=limits) == b"1234"
    with pytest.raises(TooLargeError, match="5 bytes, at most 4"):
        decompress(b"12345", limits=limits)


@pytest.mark.parametrize("encoding", [None, *COMPRESS])
def test_decompressed_limit(encoding: str | None) -> None:
    """A body that decompresses to more than the limit is refused, and one at the limit is taken."""
    compress = bytes if encoding is None else COMPRESS[encoding]
    limits = SizeLimits(decompressed=100_000)
    assert len(decompress(compress(bytes(100_000)), encoding, limits=limits)) == 100_000
    with pytest.raises(TooLargeError, match="more than the 100000 bytes"):
        decompress(compress(bytes(100_001)), encoding, limits=limits)


@every
def test_bomb(encoding: str) -> None:
    """A small body that would be 200 MB is decompressed no further than to the limit of 1 MB."""
    bomb = COMPRESS[encoding](bytes(200_000_000))
    tracemalloc.start()
    with pytest.raises(TooLargeError):
        decompress(bomb, encoding, limits=SizeLimits(decompressed=1_000_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


def test_window() -> None:
    """A zstd frame that asks for more memory than HTTP allows is refused."""
    options: dict[int, int] = {
        zstd.CompressionParameter.window_log: 26,
        zstd.CompressionParameter.enable_long_distance_matching: 1,
    }
    compressor = zstd.ZstdCompressor(options=options)
    body = compressor.compress(random.Random(1).randbytes(1_000)) + compressor.flush()
    with pytest.raises(MalformedError, match="zstd"):
        decompress(body, "zstd")


@pytest.mark.parametrize("encoding", ["br", "gzip, zstd", "snappy"])
def test_unknown_encoding(encoding: str) -> None:
    """Another encoding is refused, and the message lists the known ones."""
    for read in (encoding_of, lambda name: decompress(b"", name)):
        with pytest.raises(UnsupportedEncodingError, match="identity, gzip, deflate, zstd") as raised:
            read(encoding)
        assert (raised.value.http_status, raised.value.grpc_status) == (415, 12)


@pytest.mark.parametrize(
    ("header", "expected"), [(None, "identity"), ("", "identity"), (" GZIP", "gzip"), ("zstd ", "zstd")]
)
def test_encoding(header: str | None, expected: str) -> None:
    """The header names the encoding, in any case; without it there is none."""
    assert encoding_of(header) == expected


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/x-protobuf", Format.PROTOBUF),
        ("application/json", Format.JSON),
        ("Application/JSON ; charset=utf-8", Format.JSON),
    ],
)
def test_format(content_type: str, expected: Format) -> None:
    """The content type names the format, in any case and with parameters."""
    assert format_of(content_type) is expected


@pytest.mark.parametrize("content_type", [None, "", "text/plain", "application/jsonx"])
def test_unknown_format(content_type: str | None) -> None:
    """Another content type, or none, is refused, and the message lists the known ones."""
    with pytest.raises(UnsupportedContentTypeError, match=r"application/x-protobuf or application/json expected"):
        format_of(content_type)

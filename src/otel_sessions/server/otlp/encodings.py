"""The encoding and the format of a request: its bytes without their compression, and whether they are protobuf or JSON."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from otel_sessions.server.otlp.errors import (
    MalformedError,
    TooLargeError,
    UnsupportedContentTypeError,
    UnsupportedEncodingError,
)

if TYPE_CHECKING or sys.version_info < (3, 14):
    from backports import zstd
else:  # pragma: no cover - the same module under its later name
    from compression import zstd

_MOST_FRAMES: Final = 16
"""Compressed streams in one body; OTLP clients send one."""

_ZSTD_WINDOW_LOG: Final = 23
"""8 MiB, the window that RFC 9659 allows over HTTP; the size that a frame asks for is allocated at once."""


class Format(Enum):
    """The format of a request or an answer; the value is its content type."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


class SizeLimits(NamedTuple):
    """Bytes that one request may have: as it is sent, and after decompression."""

    compressed: int = 32 << 20
    decompressed: int = 64 << 20


DEFAULT_SIZE_LIMITS: Final = SizeLimits()


def format_of(content_type: str | None) -> Format:
    """The format that a `Content-Type` header names; its parameters are ignored.

    Raises:
        UnsupportedContentTypeError: it names another one, or there is no header.
    """
    media_type = (content_type or "").partition(";")[0].strip().lower()
    try:
        return Format(media_type)
    except ValueError:
        known = " or ".join(one.value for one in Format)
        raise UnsupportedContentTypeError(f"content type {media_type[:100]!r}: {known} expected") from None


def encoding_of(content_encoding: str | None) -> str:
    """The encoding that a `Content-Encoding` header names, `identity` without one, in lower case.

    Raises:
        UnsupportedEncodingError: it names another one than `identity`, `gzip`, `deflate` or `zstd`, or several.
    """
    name = (content_encoding or "identity").strip().lower()
    if name not in _OPENERS:
        known = ", ".join(_OPENERS)
        raise UnsupportedEncodingError(f"content encoding {name[:100]!r}: one of {known} expected")
    return name


def decompress(body: bytes, encoding: str | None = None, *, limits: SizeLimits = DEFAULT_SIZE_LIMITS) -> bytes:
    """The body without its `Content-Encoding`.

    Never holds more than the limit and one byte of the decompressed body.

    Raises:
        TooLargeError: the body is over one of the limits.
        UnsupportedEncodingError: the encoding is not one of those of `encoding_of`.
        MalformedError: the body is not compressed in that way, or ends early.
    """
    if len(body) > limits.compressed:
        raise TooLargeError(
            f"the body has {len(body)} bytes, at most {limits.compressed} are accepted; send smaller batches"
        )
    name = encoding_of(encoding)
    opener = _OPENERS[name]
    if opener is None or not body:
        decompressed = body
    else:
        try:
            decompressed = _read(body, opener, limits.decompressed)
        except (zlib.error, zstd.ZstdError, EOFError) as error:
            raise MalformedError(f"the body is not valid {name}: {error}") from None
    if len(decompressed) > limits.decompressed:
        raise TooLargeError(
            f"the body decompresses to more than the {limits.decompressed} bytes that are accepted; send smaller batches"
        )
    return decompressed


def beginning(body: bytes, encoding: str, size: int) -> bytes:
    """The first bytes of the decompressed body, which may be cut anywhere; empty if they cannot be read."""
    opener = _OPENERS[encoding]
    if opener is None or not body:
        return body[:size]
    try:
        found: bytes = opener(body).decompress(body, size)
    except (zlib.error, zstd.ZstdError, EOFError):
        return b""
    return found


def _read(body: bytes, opener: Callable[[bytes], Any], limit: int) -> bytes:
    """All streams of the body, at most one byte more than the limit."""
    chunks: list[bytes] = []
    left = limit + 1
    for _ in range(_MOST_FRAMES):
        stream = opener(body)
        chunk = stream.decompress(body, left)
        left -= len(chunk)
        chunks.append(chunk)
        if left == 0:
            break
        if not stream.eof:
            raise EOFError("it ends early")
        # Writers to block devices pad with zeros.
        body = stream.unused_data.lstrip(b"\0")
        if not body:
            break
    else:
        raise EOFError(f"it has more than {_MOST_FRAMES} compressed streams")
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _gzip(_: bytes) -> Any:
    return zlib.decompressobj(16 + zlib.MAX_WBITS)


def _deflate(body: bytes) -> Any:
    """A decompressor of `deflate`, in RFC 9110 the format of zlib; some clients send a bare stream instead."""
    is_zlib = body[0] & 0x0F == 8 and int.from_bytes(body[:2]) % 31 == 0
    return zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)


def _zstd(_: bytes) -> Any:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG})


_OPENERS: Final[dict[str, Callable[[bytes], Any] | None]] = {
    "identity": None,
    "gzip": _gzip,
    "deflate": _deflate,
    "zstd": _zstd,
}

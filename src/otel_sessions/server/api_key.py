"""Check the API key of a request."""

from __future__ import annotations

import contextlib
import hmac
from typing import Final

WRONG_KEY: Final = "the API key is missing or wrong; send it as 'authorization: Bearer <key>', over HTTP as a header, over gRPC as metadata"
"""The message for a request that `allows` refuses."""

_SCHEME: Final = "bearer"
_BLANKS: Final = " \t"
"""White space in HTTP headers; other blank characters are part of a key."""


def allows(api_key: str | None, header: str | None) -> bool:
    """Return True if an `Authorization` header holds the key, in a time that does not tell how much of it is right.

    Args:
        api_key: `None` allows every request; an empty key allows none, because an empty header would match it.
        header: `Bearer <key>` with `Bearer` in any case, or the key alone; `None` without such a header. Outside ASCII it may
            be text or, as servers give it, the bytes of UTF-8 read as Latin-1.
    """
    if api_key is None:
        return True
    if not api_key or header is None:
        return False
    expected = _bytes(api_key)
    whole = header.strip(_BLANKS)
    scheme, _, rest = whole.partition(" ")
    candidates = {whole, rest.strip(_BLANKS)} if scheme.lower() == _SCHEME else {whole}
    return any(hmac.compare_digest(expected, spelled) for text in candidates for spelled in _spellings(text))


def _spellings(text: str) -> list[bytes]:
    spelled = [_bytes(text)]
    if not text.isascii():
        with contextlib.suppress(UnicodeEncodeError):
            spelled.append(text.encode("latin-1"))
    return spelled


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")

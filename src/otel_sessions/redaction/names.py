"""Names under which secrets stand, such as `password` or `http.request.header.authorization`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from otel_sessions.attributes import is_session_name

SECRET_ENDINGS: Final = {
    ("password",): "password",
    ("passwd",): "password",
    ("pwd",): "password",
    ("passphrase",): "password",
    ("secret",): "secret",
    ("secrets",): "secret",
    ("secret", "value"): "secret",
    ("authorization",): "authorization",
    ("credential",): "credential",
    ("credentials",): "credential",
    ("cookie",): "cookie",
    ("cookies",): "cookie",
    ("set", "cookie", "2"): "cookie",
    ("token",): "token",
    ("bearer",): "token",
    ("jwt",): "token",
    ("otp",): "token",
    ("apikey",): "api_key",
    ("api", "key"): "api_key",
    ("api", "keys"): "api_key",
    ("accesskey",): "api_key",
    ("access", "key"): "api_key",
    ("account", "key"): "api_key",
    ("auth", "key"): "api_key",
    ("subscription", "key"): "api_key",
    ("secretkey",): "secret",
    ("secret", "key"): "secret",
    ("secret", "access", "key"): "secret",
    ("signing", "key"): "secret",
    ("encryption", "key"): "secret",
    ("privatekey",): "private_key",
    ("private", "key"): "private_key",
    ("connection", "string"): "secret",
    ("dsn",): "secret",
}
"""The last words of a name, and the kind of secret that stands under it."""

TOKENS_OF_TEXT: Final = frozenset(
    {
        *(
            "input",
            "output",
            "prompt",
            "completion",
            "first",
            "last",
            "max",
            "min",
            "total",
            "stop",
            "eos",
            "bos",
            "pad",
            "per",
        ),
        "unk",
    }
)
"""A word before `token` that makes it a piece of text."""

_IDS: Final = frozenset(
    {
        *("traceId", "spanId", "parentSpanId", "traceState", "trace_id", "span_id", "parent_span_id", "trace_state"),
        *("TraceId", "SpanId", "ParentSpanId", "TraceState", "Links.TraceId", "Links.SpanId", "Links.TraceState"),
        *("id", "session_id", "Record"),
    }
)
_LONGEST_ENDING: Final = max(map(len, SECRET_ENDINGS))
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_LONGEST_NAME: Final = 200


@lru_cache(maxsize=4_096)
def kind_of_name(name: str) -> str | None:
    """The kind of secret that stands under a name; `None` for any other name."""
    words = tuple(word.lower() for word in _WORD.findall(name[-_LONGEST_NAME:]))
    for size in range(min(_LONGEST_ENDING, len(words)), 0, -1):
        kind = SECRET_ENDINGS.get(words[-size:])
        if kind is not None:
            is_text = words[-1] == "token" and len(words) > 1 and words[-2] in TOKENS_OF_TEXT
            return None if is_text else kind
    return None


@lru_cache(maxsize=4_096)
def is_id(name: str) -> bool:
    """Return True for the id of a trace, span or session, which stays as it is."""
    return name in _IDS or is_session_name(name)


@lru_cache(maxsize=4_096)
def names_id(name: str) -> bool:
    """Return True for the name of any id: it may look random and be no secret."""
    words = _WORD.findall(name[-_LONGEST_NAME:])
    return bool(words) and words[-1].lower() in {
        "id",
        "ids",
        "uuid",
        "hash",
        "digest",
        "etag",
        "fingerprint",
        "signature",
    }

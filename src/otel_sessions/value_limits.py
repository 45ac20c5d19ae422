"""Ids that the SDK's limit of the length of values would cut: they are left out, since half an id is another session's.

The limits are `OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT`, `OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT`, and those of `SpanLimits` and
`LogRecordLimits`: https://opentelemetry.io/docs/specs/otel/common/#attribute-limits
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from otel_sessions.attributes import (
    ALL_KEYS,
    ID_KEY,
    SESSION_CUT,
    SESSION_ID,
    SESSION_KEY_PREFIX,
    SESSION_PREVIOUS_ID,
    USER_ID,
)
from otel_sessions.drops import drops
from otel_sessions.session import AttributeValue

_FIELDS: Final = {SESSION_ID: "session_id", USER_ID: "user_id", SESSION_PREVIOUS_ID: "previous_id"}


def value_limit(span: object) -> int | None:
    """The number of characters that a value of a span may have; `None` without a limit."""
    # The limits of a span have no public name. Tests set them in each way that there is.
    limit: int | None = getattr(getattr(span, "_limits", None), "max_span_attribute_length", None)
    return limit


def fitting(attributes: Mapping[str, AttributeValue], limit: int) -> Mapping[str, AttributeValue]:
    """The attributes without ids that are longer than the limit; these are counted.

    The span is then in no session of such a key, nor in an ancestor's: `session.cut` names the key.
    """
    lost = [
        name for name, value in attributes.items() if isinstance(value, str) and len(value) > limit and _is_id(name)
    ]
    for name in lost:
        field = _FIELDS.get(name, "session_keys")
        drops.count(
            field,
            "sdk_limit",
            f"dropped {field}: the SDK would cut {len(str(attributes[name]))} characters to {limit};"
            " raise OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT or OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        )
    keys = [key for key in map(_key, lost) if key is not None]
    before: Any = attributes.get(SESSION_CUT, ())
    cut = _written((*before, *keys), limit)
    if not lost and cut == tuple(before):
        return attributes
    rest = {name: value for name, value in attributes.items() if name not in lost and name != SESSION_CUT}
    return {**rest, SESSION_CUT: cut} if cut else rest


def _is_id(name: str) -> bool:
    return name in _FIELDS or name.startswith(SESSION_KEY_PREFIX)


def _key(name: str) -> str | None:
    """The session key of an attribute; `None` for the user and the previous session."""
    if name == SESSION_ID:
        return ID_KEY
    return name.removeprefix(SESSION_KEY_PREFIX) if name.startswith(SESSION_KEY_PREFIX) else None


def _written(cut: Iterable[str], limit: int) -> tuple[str, ...]:
    """The names of cut keys as a span can hold them: a name that the SDK would cut becomes `*`."""
    names = tuple(dict.fromkeys(cut))
    return names if all(len(name) <= limit for name in names) else (ALL_KEYS,)

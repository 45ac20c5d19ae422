"""The query parameters that several endpoints take, and the filters that they make up."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from fastapi import Depends, Query

from otel_sessions.attributes import ID_KEY
from otel_sessions.counting.measures import MEASURES
from otel_sessions.rules import DEFAULT_LIMITS, KEY_CHARACTERS
from otel_sessions.server.api.errors import ApiError, invalid_parameter
from otel_sessions.server.api.prefixed_parameters import PrefixedParameters
from otel_sessions.server.queries.filters import SessionFilters

if TYPE_CHECKING:
    _Measure = str
else:
    _Measure = Literal[tuple(MEASURES)]

MAX_ROWS: Final = 1_000
MAX_OFFSET: Final = 1_000_000_000
MAX_LENGTH: Final = 1_000
"""How many characters a parameter may have that is text."""

METADATA_FILTERS: Final = PrefixedParameters(
    "metadata",
    description=(
        "`metadata.<name>=<value>`: only sessions whose last value of this metadata name is the given one. Up to "
        f"{DEFAULT_LIMITS.metadata} such parameters, which must all match. `7` and `true` also match the number and the "
        "boolean."
    ),
    characters=KEY_CHARACTERS,
    name_length=DEFAULT_LIMITS.key_length,
    length=MAX_LENGTH,
    most=DEFAULT_LIMITS.metadata,
)

_TIME: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?([Zz]|[+ -][0-9]{2}:[0-9]{2}))?"
)
_AMOUNT: Final = re.compile(r"[0-9]{1,30}(\.[0-9]{1,38})?")
_EXPECTED_TIME: Final = "a time such as 2026-11-20T12:00:00Z, with an offset or Z, or a date such as 2026-11-20"
_EXPECTED_AMOUNT: Final = "an amount in USD such as 0.05, from 0 up to 30 digits, with up to 38 decimals"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _text(description: str, **more: Any) -> Any:
    return Query(description=description, max_length=MAX_LENGTH, **more)


def _time(description: str) -> Any:
    schema = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}
    return _text(f"{description} RFC 3339, or a date, which means its first moment in UTC.", json_schema_extra=schema)


Key = Annotated[str, _text("The session key.", min_length=1, examples=[ID_KEY])]
Limit = Annotated[int, Query(description="How many items to return at most.", ge=1, le=MAX_ROWS)]
Offset = Annotated[
    int, Query(description="How many items to skip, after the cursor if there is one.", ge=0, le=MAX_OFFSET)
]
PageCursor = Annotated[
    str | None,
    Query(
        description=(
            "The `next` of the page before. Repeat the other parameters of that page, except for `limit`, which may change, "
            "and `offset`, which counts from the cursor."
        ),
        max_length=4_096,
    ),
]
Sort = Annotated[
    _Measure,
    Query(description=f"What to sort by: {'; '.join(f'`{name}`, {one.about}' for name, one in MEASURES.items())}."),
]
Order = Annotated[
    Literal["desc", "asc"], Query(description="`desc`: greatest first, `asc`: least first. Unknown always comes last.")
]


async def filters_of(
    *,
    key: Key = ID_KEY,
    q: Annotated[
        str | None, _text("Only sessions with this text in their id or their name; upper and lower case are the same.")
    ] = None,
    name: Annotated[str | None, _text("Only sessions with exactly this name.")] = None,
    user_id: Annotated[str | None, _text("Only sessions with this user id.")] = None,
    user_id_alias: Annotated[str | None, _text("The same as `user_id`; give one of them.", alias="userId")] = None,
    environment: Annotated[str | None, _text("Only sessions in this deployment environment.")] = None,
    service: Annotated[str | None, _text("Only sessions with spans of this service.")] = None,
    tag: Annotated[str | None, _text("Only sessions with this tag.")] = None,
    model: Annotated[str | None, _text("Only sessions with calls of this model.")] = None,
    failed: Annotated[
        bool | None,
        Query(description="`true`: only sessions with a failed trace, `false`: only sessions without one."),
    ] = None,
    since: Annotated[str | None, _time("Only sessions with a span that ended at this time or later.")] = None,
    until: Annotated[str | None, _time("Only sessions that started before this time.")] = None,
    min_cost: Annotated[
        str | None,
        _text(
            "Only sessions whose known cost is this amount in USD or more.",
            json_schema_extra={"anyOf": [{"type": "string", "pattern": f"^{_AMOUNT.pattern}$"}]},
        ),
    ] = None,
    metadata: Annotated[dict[str, str], Depends(METADATA_FILTERS)],
) -> SessionFilters:
    """The conditions of a request. An empty text is no condition, since that is how forms send a field left empty.

    Raises:
        ApiError: a value is invalid.
    """
    if user_id and user_id_alias:
        raise ApiError(400, "repeated_parameter", "user_id and userId are the same; give one of them")
    return SessionFilters(
        key=key,
        q=q or None,
        name=name or None,
        user_id=user_id or user_id_alias or None,
        environment=environment or None,
        service=service or None,
        tag=tag or None,
        model=model or None,
        metadata=metadata,
        failed=failed,
        since=moment("since", since),
        until=moment("until", until),
        min_cost=_amount("min_cost", min_cost),
    )


Filters = Annotated[SessionFilters, Depends(filters_of)]


def moment(name: str, text: str | None) -> int | None:
    """Nanoseconds UTC of a parameter that is RFC 3339 or a date, negative before 1970; `None` for no text.

    A space in place of the `+` of an offset is accepted, since a URL decodes `+` to a space.

    Raises:
        ApiError: the text is neither, or names a day or an hour that does not exist.
    """
    if not text:
        return None
    found = _TIME.fullmatch(text)
    if found is None:
        raise invalid_parameter(name, text, _EXPECTED_TIME)
    seconds = _seconds(*(int(field or 0) for field in found.groups()[:6]))
    ahead = _seconds_ahead(found[8] or "Z")
    if seconds is None or ahead is None:
        raise invalid_parameter(name, text, _EXPECTED_TIME)
    return (seconds - ahead) * 10**9 + int((found[7] or "0").ljust(9, "0"))


def _seconds(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int | None:
    """Seconds since 1970, where a leap second is the first moment after it; `None` for a time that does not exist."""
    leaps = second == 60
    try:
        since = datetime(year, month, day, hour, minute, second - leaps, tzinfo=UTC) - _EPOCH
    except ValueError:
        return None
    return since // timedelta(seconds=1) + leaps


def _seconds_ahead(offset: str) -> int | None:
    """How many seconds an offset is ahead of UTC; `None` for an offset that does not exist."""
    if offset in "Zz":
        return 0
    hours, minutes = int(offset[1:3]), int(offset[4:])
    if hours > 23 or minutes > 59:
        return None
    return (-60 if offset[0] == "-" else 60) * (hours * 60 + minutes)


def _amount(name: str, text: str | None) -> Decimal | None:
    if not text:
        return None
    if not _AMOUNT.fullmatch(text):
        raise invalid_parameter(name, text, _EXPECTED_AMOUNT)
    return Decimal(text)

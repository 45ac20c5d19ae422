"""The query parameters that several endpoints take, and what they mean to the store."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Query, Request

from otel_sessions.attributes import ID_KEY
from otel_sessions.counting.measures import MEASURES
from otel_sessions.server.api.endpoints import backend_of
from otel_sessions.server.api.errors import ApiError, bad_parameter
from otel_sessions.server.backend import Backend
from otel_sessions.server.queries.filters import SessionFilters

MOST_ROWS: Final = 1_000
MOST_SKIPPED: Final = 1_000_000_000
METADATA: Final = "metadata."

_LONGEST_TEXT: Final = 1_000
_MOST_METADATA: Final = 32

METADATA_PARAMETER: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": "metadata",
            "in": "query",
            "required": False,
            "description": (
                "`metadata.<name>=<value>`: only sessions whose metadata has this as the last value of the name; several "
                f"are possible, up to {_MOST_METADATA}. `7` and `true` also mean the number and the bool."
            ),
            "style": "form",
            "explode": True,
            "schema": {
                "type": "object",
                "patternProperties": {
                    r"^metadata\.[A-Za-z0-9_.-]{1,128}$": {"type": "string", "maxLength": _LONGEST_TEXT}
                },
                "additionalProperties": False,
                "maxProperties": _MOST_METADATA,
            },
        }
    ]
}
"""For `openapi_extra` of endpoints that take these parameters, whose names only the caller knows."""

_TIME: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?([Zz]|[+ -][0-9]{2}:[0-9]{2}))?"
)
_AMOUNT: Final = re.compile(r"[0-9]{1,30}(\.[0-9]{1,38})?")
_WANTED_TIME: Final = "a time such as 2026-11-20T12:00:00Z, with an offset or Z, or a date such as 2026-11-20"
_WANTED_AMOUNT: Final = "an amount in USD such as 0.05, from 0 up to 30 digits, with up to 38 decimals"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _text(about: str, **more: Any) -> Any:
    return Query(description=about, max_length=_LONGEST_TEXT, **more)


def _time(about: str) -> Any:
    schema = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}
    return _text(f"{about} RFC 3339, or a date, which is its first moment in UTC.", json_schema_extra=schema)


AnyBackend = Annotated[Backend, Depends(backend_of)]
Key = Annotated[str, _text("The session key.", min_length=1, examples=[ID_KEY])]
Limit = Annotated[int, Query(description="How many at most.", ge=1, le=MOST_ROWS)]
Offset = Annotated[int, Query(description="How many to skip, after the cursor if there is one.", ge=0, le=MOST_SKIPPED)]
PageCursor = Annotated[
    str | None,
    Query(
        description="The `next` of the page before; all other parameters but `limit` stay as they were.",
        max_length=4_096,
    ),
]
Sort = Annotated[
    Literal["last_active", "created", "cost", "tokens", "duration", "traces", "failure_rate", "name"],
    Query(description=f"By what: {'; '.join(f'`{name}`, {one.about}' for name, one in MEASURES.items())}."),
]
Order = Annotated[Literal["desc", "asc"], Query(description="Greatest or least first.")]


async def filters_of(
    request: Request,
    *,
    key: Key = ID_KEY,
    q: Annotated[str | None, _text("A part of the id or the name, in upper or lower case.")] = None,
    name: Annotated[str | None, _text("The whole name.")] = None,
    user_id: Annotated[str | None, _text("One of the users.")] = None,
    user_id_alias: Annotated[str | None, _text("The same as `user_id`.", alias="userId")] = None,
    environment: Annotated[str | None, _text("One of the deployment environments.")] = None,
    service: Annotated[str | None, _text("One of the services.")] = None,
    tag: Annotated[str | None, _text("One of the tags.")] = None,
    model: Annotated[str | None, _text("One of the models.")] = None,
    failed: Annotated[bool | None, Query(description="Whether a trace failed.")] = None,
    since: Annotated[str | None, _time("Active at this moment or later.")] = None,
    until: Annotated[str | None, _time("Started before this moment.")] = None,
    min_cost: Annotated[
        str | None,
        _text(
            "Costs this much in USD, or more, as far as is known.",
            json_schema_extra={"anyOf": [{"type": "string", "pattern": f"^{_AMOUNT.pattern}$"}]},
        ),
    ] = None,
) -> SessionFilters:
    """Which sessions a request is about; text that is empty is no condition, as a form sends it.

    Raises:
        ApiError: for a value that means nothing.
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
        metadata=_metadata(request),
        failed=failed,
        since=moment("since", since),
        until=moment("until", until),
        min_cost=_amount("min_cost", min_cost),
    )


Filters = Annotated[SessionFilters, Depends(filters_of)]


def moment(name: str, text: str | None) -> int | None:
    """Nanoseconds UTC of a parameter that is RFC 3339 or a date; before 1970 they are negative.

    A space in place of the `+` of an offset is taken for one, which is what a `+` in a URL means.

    Raises:
        ApiError: if it is neither, or a day or an hour that there is not.
    """
    if not text:
        return None
    found = _TIME.fullmatch(text)
    if found is None:
        raise bad_parameter(name, text, _WANTED_TIME)
    seconds = _seconds(*(int(part or 0) for part in found.groups()[:6]))
    ahead = _seconds_ahead(found[8] or "Z")
    if seconds is None or ahead is None:
        raise bad_parameter(name, text, _WANTED_TIME)
    return (seconds - ahead) * 10**9 + int((found[7] or "0").ljust(9, "0"))


def _seconds(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int | None:
    """Seconds since 1970; a leap second is the first moment after it. `None` if there is no such time."""
    leaps = second == 60
    try:
        since = datetime(year, month, day, hour, minute, second - leaps, tzinfo=UTC) - _EPOCH
    except ValueError:
        return None
    return since // timedelta(seconds=1) + leaps


def _seconds_ahead(offset: str) -> int | None:
    """How far a clock with this offset is ahead of UTC; `None` if none is."""
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
        raise bad_parameter(name, text, _WANTED_AMOUNT)
    return Decimal(text)


def _metadata(request: Request) -> dict[str, str]:
    given = {
        name.removeprefix(METADATA): value
        for name, value in request.query_params.multi_items()
        if name.startswith(METADATA)
    }
    if len(given) > _MOST_METADATA:
        raise ApiError(
            400, "invalid_parameter", f"{len(given)} conditions on metadata: expected at most {_MOST_METADATA}"
        )
    for name, value in given.items():
        if max(len(name), len(value)) > _LONGEST_TEXT:
            raise bad_parameter(
                f"{METADATA}{name[:80]}", value, f"names and text of at most {_LONGEST_TEXT} characters"
            )
    return given

"""The query parameters that several endpoints take, and the filters that they make up."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from fastapi import Depends, Query

from otel_sessions.attributes import ID_KEY
from otel_sessions.counting.facets import FACETS
from otel_sessions.counting.measures import MEASURES
from otel_sessions.counting.status import CONDITIONS
from otel_sessions.rules import DEFAULT_LIMITS, KEY_CHARACTERS, LONGEST_LABEL
from otel_sessions.server.api.errors import ApiError, invalid_parameter
from otel_sessions.server.api.prefixed_parameters import PrefixedParameters
from otel_sessions.server.queries.filters import SessionFilters
from otel_sessions.server.queries.session_score import SCORE, score_of_sort
from otel_sessions.timestamps import parse_time

if TYPE_CHECKING:
    _Status = str
else:
    _Status = Literal[tuple(CONDITIONS)]

MAX_ROWS: Final = 1_000
MAX_OFFSET: Final = 1_000_000_000
MAX_LENGTH: Final = LONGEST_LABEL
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

MOST_SCORE_FILTERS: Final = 16


def _of_scores(name: str, about: str) -> PrefixedParameters:
    return PrefixedParameters(
        name,
        description=(
            f"`{name}.<name>=<value>`: only sessions {about}. The score is the last one on the session itself, else the mean of those "
            f"on its traces, else of those on its spans. Up to {MOST_SCORE_FILTERS} such parameters, which must all match."
        ),
        characters=r"\s\S",
        name_length=LONGEST_LABEL,
        length=MAX_LENGTH,
        most=MOST_SCORE_FILTERS,
    )


LEAST_SCORES: Final = _of_scores("min_score", "whose score of this name is at least the given number")
GREATEST_SCORES: Final = _of_scores("max_score", "whose score of this name is at most the given number")
LABELS: Final = _of_scores(
    "label", "whose score of this name has the given label; on traces and spans one of them is enough"
)

_AMOUNT: Final = re.compile(r"[0-9]{1,30}(\.[0-9]{1,38})?")
_NUMBER: Final = re.compile(r"[+-]?([0-9]{1,400}(\.[0-9]{0,400})?|\.[0-9]{1,400})([eE][+-]?[0-9]{1,3})?")
_EXPECTED_NUMBER: Final = "a finite number such as 0.5 or -1"
_EXPECTED_SORT: Final = f"one of {', '.join(MEASURES)}, {SCORE}<name>"
_EXPECTED_TIME: Final = "a time such as 2026-11-20T12:00:00Z, with an offset or Z, or a date such as 2026-11-20"
_EXPECTED_AMOUNT: Final = "a number from 0 up such as 0.05, of up to 30 digits, with up to 38 decimals"
_MINIMUM: Final = "min_"


def _text(description: str, **more: Any) -> Any:
    return Query(description=description, max_length=MAX_LENGTH, **more)


def time_parameter(description: str) -> Any:
    """An optional query parameter that `moment` reads."""
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


async def sort_of(
    sort: Annotated[
        str,
        Query(
            description=(
                f"What to sort by: {'; '.join(f'`{name}`, {one.about}' for name, one in MEASURES.items())}; `{SCORE}<name>`, the score "
                "of this name, as `min_score` describes it."
            ),
            max_length=MAX_LENGTH + len(SCORE),
            json_schema_extra={"anyOf": [{"enum": list(MEASURES)}, {"pattern": f"^{re.escape(SCORE)}[\\s\\S]+$"}]},
        ),
    ] = "last_active",
) -> str:
    """What a list is sorted by.

    Raises:
        ApiError: it is neither a measure nor a score.
    """
    if sort not in MEASURES and score_of_sort(sort) is None:
        raise invalid_parameter("sort", sort, _EXPECTED_SORT)
    return sort


Sort = Annotated[str, Depends(sort_of)]
Order = Annotated[
    Literal["desc", "asc"], Query(description="`desc`: greatest first, `asc`: least first. Unknown always comes last.")
]


async def facet_filters(**texts: str | None) -> dict[str, str]:
    """The facets that a session must have, by name."""
    return {name: text for name, text in texts.items() if text}


async def minimum_filters(**texts: str | None) -> dict[str, Decimal]:
    """The least values of measures, by name of the measure.

    Raises:
        ApiError: a value is not an amount.
    """
    return {name.removeprefix(_MINIMUM): _amount(name, text) for name, text in texts.items() if text}


def _takes(dependency: Any, parameters: Mapping[str, Any]) -> None:
    """Have a dependency take these optional query parameters, which the framework reads from its signature."""
    dependency.__signature__ = Signature(
        [
            Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, query])
            for name, query in parameters.items()
        ]
    )


_takes(facet_filters, {name: _text(f"Only sessions with this {facet.about}.") for name, facet in FACETS.items()})
_takes(
    minimum_filters,
    {
        f"{_MINIMUM}{name}": _text(
            f"Only sessions of at least this {name}, in {measure.unit}, as far as it is known.",
            json_schema_extra={"anyOf": [{"type": "string", "pattern": f"^{_AMOUNT.pattern}$"}]},
        )
        for name, measure in MEASURES.items()
        if measure.minimum
    },
)


async def filters_of(
    *,
    key: Key = ID_KEY,
    q: Annotated[
        str | None,
        _text("Only sessions with this text in their id, their name or a message; upper and lower case are the same."),
    ] = None,
    name: Annotated[str | None, _text("Only sessions with exactly this name.")] = None,
    user_id_alias: Annotated[str | None, _text("The same as `user_id`; give one of them.", alias="userId")] = None,
    failed: Annotated[
        bool | None,
        Query(description="`true`: only sessions with a failed trace, `false`: only sessions without one."),
    ] = None,
    status: Annotated[
        _Status | None,
        Query(
            description=(
                "Only sessions with this status: `running` if something happened within the last minute; else `failed` if the last trace "
                "failed, `partly_failed` if only earlier ones did, `ok`, or `unknown` without a trace."
            )
        ),
    ] = None,
    unpriced: Annotated[
        bool | None,
        Query(
            description="`true`: only sessions with a model call whose cost is not known, `false`: only sessions without one."
        ),
    ] = None,
    since: Annotated[str | None, time_parameter("Only sessions with a span that ended at this time or later.")] = None,
    until: Annotated[str | None, time_parameter("Only sessions that started before this time.")] = None,
    facets: Annotated[dict[str, str], Depends(facet_filters)],
    minimums: Annotated[dict[str, Decimal], Depends(minimum_filters)],
    metadata: Annotated[dict[str, str], Depends(METADATA_FILTERS)],
    least_scores: Annotated[dict[str, str], Depends(LEAST_SCORES)],
    greatest_scores: Annotated[dict[str, str], Depends(GREATEST_SCORES)],
    labels: Annotated[dict[str, str], Depends(LABELS)],
) -> SessionFilters:
    """The conditions of a request. An empty text is no condition, since that is how forms send a field left empty.

    Raises:
        ApiError: a value is invalid.
    """
    if user_id_alias and "user_id" in facets:
        raise ApiError(400, "repeated_parameter", "user_id and userId are the same; give one of them")
    return SessionFilters(
        key=key,
        q=q or None,
        name=name or None,
        facets={**facets, "user_id": user_id_alias} if user_id_alias else facets,
        metadata=metadata,
        failed=failed,
        status=status,
        unpriced=unpriced,
        since=moment("since", since),
        until=moment("until", until),
        minimums=minimums,
        least_scores=_numbers(LEAST_SCORES, least_scores),
        greatest_scores=_numbers(GREATEST_SCORES, greatest_scores),
        labels={name: label for name, label in labels.items() if label},
    )


Filters = Annotated[SessionFilters, Depends(filters_of)]


def moment(name: str, text: str | None) -> int | None:
    """Nanoseconds UTC of a parameter that is RFC 3339 or a date, negative before 1970; `None` for no text.

    Raises:
        ApiError: the text is neither, or names a day or an hour that does not exist.
    """
    if not text:
        return None
    at = parse_time(text)
    if at is None:
        raise invalid_parameter(name, text, _EXPECTED_TIME)
    return at


def _amount(name: str, text: str) -> Decimal:
    if not _AMOUNT.fullmatch(text):
        raise invalid_parameter(name, text, _EXPECTED_AMOUNT)
    return Decimal(text)


def _numbers(parameters: PrefixedParameters, texts: Mapping[str, str]) -> dict[str, float]:
    found = {name: _number(text) for name, text in texts.items() if text}
    for name, number in found.items():
        if number is None:
            raise invalid_parameter(f"{parameters.prefix}{name}", texts[name], _EXPECTED_NUMBER)
    return {name: number for name, number in found.items() if number is not None}


def _number(text: str) -> float | None:
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    return number if math.isfinite(number) else None

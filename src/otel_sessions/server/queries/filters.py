"""The filters of a list of sessions, as SQL over rows of `sessions`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from otel_sessions.attributes import ID_KEY
from otel_sessions.counting.facets import FACETS
from otel_sessions.counting.measures import MEASURES
from otel_sessions.counting.metadata import metadata_json
from otel_sessions.counting.status import CONDITIONS
from otel_sessions.rules import MetadataValue
from otel_sessions.server.queries.session_score import score_conditions
from otel_sessions.server.queries.statements import statement

_CONDITIONS: Final = {
    "name": "ifNull(Name = {name:String}, 0)",
    "failed": "(FailedTraces > 0) = {failed:UInt8}",
    "unpriced": "(UnpricedCalls > 0) = {unpriced:UInt8}",
    "since": "LastActive >= {since:Int128}",
    "until": "Created < {until:Int128}",
}
_NAMED: Final = "lowerUTF8(concat(Id, '\\n', ifNull(Name, ''))) LIKE concat('%', lowerUTF8({like:String}), '%')"
_TWO_LINES: Final = "(position(lowerUTF8(Id), lowerUTF8({q:String})) > 0 OR position(lowerUTF8(ifNull(Name, '')), lowerUTF8({q:String})) > 0)"
"""Added for a text of several lines, which must not begin in the id and end in the name."""


@dataclass(frozen=True, slots=True)
class SessionFilters:
    """Conditions that a session must meet, all of them. `None` stands for a condition that is not set.

    Attributes:
        key: the session key.
        q: a part of the id, the name or a message, in upper or lower case.
        name: the name, whole.
        facets: by name of the facet (`otel_sessions.counting.facets.FACETS`), one of the session's values.
        metadata: by name, the value; a text also stands for the number or bool that it reads as.
        failed: whether a trace failed.
        status: one of `otel_sessions.counting.status.CONDITIONS`.
        unpriced: whether the cost of a call is not known.
        since: the session was active at this moment or later, nanoseconds UTC.
        until: the session began before this moment, nanoseconds UTC.
        minimums: by name of the measure (`otel_sessions.counting.measures.MEASURES`), the least value, where it is known.
        least_scores: by name of the score, the least value of the session's score: of its own, else of its traces, else of its spans.
        greatest_scores: by name of the score, the greatest value.
        labels: by name of the score, its label.
    """

    key: str = ID_KEY
    q: str | None = None
    name: str | None = None
    facets: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
    failed: bool | None = None
    status: str | None = None
    unpriced: bool | None = None
    since: int | None = None
    until: int | None = None
    minimums: Mapping[str, Decimal] = field(default_factory=dict)
    least_scores: Mapping[str, float] = field(default_factory=dict)
    greatest_scores: Mapping[str, float] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


def conditions(filters: SessionFilters) -> tuple[str, dict[str, Any]]:
    """The conditions on a row of `sessions` as SQL, and the parameters of it and of the key."""
    found = ["1"]
    parameters: dict[str, Any] = {"key": filters.key}
    for name, condition in _CONDITIONS.items():
        value = getattr(filters, name)
        if value is not None:
            found.append(condition)
            parameters[name] = int(value) if isinstance(value, bool) else value
    if filters.status is not None:
        found.append(f"({CONDITIONS[filters.status]})")
        parameters["now"] = time.time_ns()
    if filters.q:
        parameters |= {"q": filters.q, "like": _literally(filters.q), "said": said_pattern(filters.q)}
        found.append(f"IdHash IN ({with_text(filters.q)})")
    for name, text in filters.facets.items():
        found.append(f"has({FACETS[name].column.name}, {{{name}:String}})")
        parameters[name] = text
    for name, least in filters.minimums.items():
        measure = MEASURES[name]
        found.append(f"ifNull({measure.expression} >= {{min_{name}:{measure.type}}}, 0)")
        parameters[f"min_{name}"] = least
    for number, (name, value) in enumerate(sorted(filters.metadata.items())):
        parameters[f"metadata_{number}"] = name
        parameters[f"values_{number}"] = sorted(_readings(value))
        found.append(f"{last_metadata(f'metadata_{number}')} IN {{values_{number}:Array(String)}}")
    of_scores, more = score_conditions(filters.least_scores, filters.greatest_scores, filters.labels)
    return " AND ".join([*found, *of_scores]), {**parameters, **more}


def with_text(text: str) -> str:
    """The hashes of the ids of the sessions with a text in id, name or messages, as SQL."""
    named = f"{_NAMED} AND {_TWO_LINES}" if "\n" in text else _NAMED
    return statement("sessions_with_text", named=named, strays=statement("strays"))


def said_pattern(text: str) -> str:
    """The pattern of `LIKE` for what is searched of messages that have a text in them."""
    return f"%{_literally(text.lower())}%"


def last_metadata(parameter: str) -> str:
    """The JSON of the value of the metadata name in a parameter, as SQL; empty for a session without it."""
    return f"MetadataValues[indexOf(MetadataKeys, {{{parameter}:String}})]"


def _literally(text: str) -> str:
    """The text as a pattern of `LIKE` that stands for itself."""
    for special in "\\%_":
        text = text.replace(special, "\\" + special)
    return text


def _readings(value: MetadataValue) -> Iterator[str]:
    """The JSON of all values that a query means."""
    yield metadata_json(value)
    if isinstance(value, str):
        if value in ("true", "false"):
            yield value
        for kind in (int, float):
            try:
                yield metadata_json(kind(value))
            except ValueError:
                continue

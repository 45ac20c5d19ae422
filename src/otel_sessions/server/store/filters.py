"""Which sessions a list is of: conditions on a session as a whole, as SQL with parameters.

Most conditions are also ones on rows: a session that meets the one has a row that meets the other, in some version of
it. A few such rows lead to the few sessions that are worth looking at as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, NamedTuple

from otel_sessions.attributes import ID_KEY
from otel_sessions.rules import MetadataValue
from otel_sessions.server.store.group_rows import metadata_json
from otel_sessions.server.store.measures import LAST_NAME, SQL_MEASURES


class Condition(NamedTuple):
    """One condition in SQL.

    Attributes:
        whole: over the rows of a session.
        row: what at least one row of such a session meets, in some version; empty if no row tells.
    """

    whole: str
    row: str = ""


def _any(row: str) -> Condition:
    return Condition(f"max({row})", row)


_TEXT: Final = "lowerUTF8(concat(Id, '\\n', ifNull(Name, '')))"
"""As in the index of `session_traces`."""

_CONDITIONS: Final = {
    "q": Condition(
        "(max(position(lowerUTF8(Id), lowerUTF8({q:String})) > 0)"
        f" OR position(lowerUTF8(ifNull({LAST_NAME}, '')), lowerUTF8({{q:String}})) > 0)",
        f"{_TEXT} LIKE concat('%', lowerUTF8({{like:String}}), '%')",
    ),
    "name": Condition(f"ifNull({LAST_NAME} = {{name:String}}, 0)", "Name = {name:String}"),
    "user_id": _any("has(UserIds, {user_id:String})"),
    "environment": _any("has(Environments, {environment:String})"),
    "service": _any("has(Services, {service:String})"),
    "tag": _any("has(Tags, {tag:String})"),
    "model": _any("has(Models, {model:String})"),
    "failed": Condition("max(Failed) = {failed:UInt8}", "Failed >= {failed:UInt8}"),
    "since": Condition("max(End) >= {since:Int128}", "End >= {since:Int128}"),
    "until": Condition("min(Start) < {until:Int128}", "Start < {until:Int128}"),
    "min_cost": Condition(f"ifNull({SQL_MEASURES['cost'].sql} >= {{min_cost:Decimal(76, 38)}}, 0)"),
}


@dataclass(frozen=True, slots=True)
class SessionFilters:
    """Conditions that a session meets, all of them; `None` is no condition.

    Attributes:
        key: the session key.
        q: a part of the id or the name, upper or lower case.
        name: the name, whole.
        user_id: one of the users; so `environment`, `service`, `tag` and `model`.
        metadata: by name, the value, where a text also stands for the number or bool that it reads as.
        failed: whether a trace failed.
        since: was active at this moment or later, nanoseconds UTC.
        until: was active before this moment, nanoseconds UTC.
        min_cost: costs this much in USD, or more, as far as is known.
    """

    key: str = ID_KEY
    q: str | None = None
    name: str | None = None
    user_id: str | None = None
    environment: str | None = None
    service: str | None = None
    tag: str | None = None
    model: str | None = None
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
    failed: bool | None = None
    since: int | None = None
    until: int | None = None
    min_cost: Decimal | None = None


def conditions(filters: SessionFilters) -> tuple[list[Condition], dict[str, Any]]:
    """The conditions as SQL, and the parameters of it and of the key."""
    found = []
    parameters: dict[str, Any] = {"key": filters.key}
    for name, condition in _CONDITIONS.items():
        value = getattr(filters, name)
        if value is not None:
            found.append(condition)
            parameters[name] = int(value) if name == "failed" else value
    if filters.q is not None:
        parameters["like"] = _literally(filters.q)
    for number, (name, value) in enumerate(sorted(filters.metadata.items())):
        parameters[f"metadata_{number}"] = name
        parameters[f"values_{number}"] = sorted(_readings(value))
        found.append(_metadata(f"metadata_{number}", f"{{values_{number}:Array(String)}}"))
    return found, parameters


def having(some: list[Condition]) -> str:
    """All conditions, over the rows of a session."""
    return " AND ".join(["1", *(condition.whole for condition in some)])


def last_metadata(parameter: str) -> str:
    """The JSON of the last value of the metadata name that a parameter gives, as SQL; empty if there is none."""
    has, value, after = (template.format(parameter) for template in _METADATA)
    return f"substring(maxIf(concat(reverse(reinterpretAsFixedString(toUInt64(Start + {after}))), {value}), {has}), 9)"


_METADATA: Final = (
    "has(MetadataKeys, {{{}:String}})",
    "MetadataValues[indexOf(MetadataKeys, {{{}:String}})]",
    "MetadataAfter[indexOf(MetadataKeys, {{{}:String}})]",
)


def _metadata(parameter: str, values: str) -> Condition:
    has, value, _ = (template.format(parameter) for template in _METADATA)
    return Condition(
        f"{last_metadata(parameter)} IN {values}", f"hasAny(MetadataValues, {values}) AND {has} AND {value} IN {values}"
    )


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

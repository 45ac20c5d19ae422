"""Which sessions a list is of: conditions on a session as a whole, as SQL with parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from otel_sessions.attributes import ID_KEY
from otel_sessions.rules import MetadataValue
from otel_sessions.server.store.measures import SQL_MEASURES
from otel_sessions.server.store.session_traces import metadata_json

_NAME: Final = SQL_MEASURES["name"].sql

LAST_METADATA: Final = (
    "argMaxIf(MetadataValues[indexOf(MetadataKeys, {{{0}:String}})],"
    " (MetadataAt[indexOf(MetadataKeys, {{{0}:String}})], MetadataValues[indexOf(MetadataKeys, {{{0}:String}})]),"
    " has(MetadataKeys, {{{0}:String}}))"
)
"""The JSON of the last value of a metadata name, empty if there is none; takes the name of the parameter for the name."""

_CONDITIONS: Final = {
    "q": "(positionCaseInsensitiveUTF8(Id, {q:String}) > 0"
    f" OR positionCaseInsensitiveUTF8(ifNull({_NAME}, ''), {{q:String}}) > 0)",
    "name": f"ifNull({_NAME} = {{name:String}}, 0)",
    "user_id": "max(has(UserIds, {user_id:String}))",
    "environment": "max(has(Environments, {environment:String}))",
    "service": "max(has(Services, {service:String}))",
    "tag": "max(has(Tags, {tag:String}))",
    "model": "max(has(Models, {model:String}))",
    "failed": "max(Failed) = {failed:UInt8}",
    "since": "max(End) >= {since:Int128}",
    "until": "min(Start) < {until:Int128}",
    "min_cost": f"ifNull({SQL_MEASURES['cost'].sql} >= {{min_cost:Decimal(76, 38)}}, 0)",
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


def having(filters: SessionFilters) -> tuple[str, dict[str, Any]]:
    """The conditions as SQL over the rows of one session, and the parameters of it and of the key."""
    conditions = ["1"]
    parameters: dict[str, Any] = {"key": filters.key}
    for name, condition in _CONDITIONS.items():
        value = getattr(filters, name)
        if value is not None:
            conditions.append(condition)
            parameters[name] = int(value) if name == "failed" else value
    for number, (name, value) in enumerate(sorted(filters.metadata.items())):
        parameters[f"metadata_{number}"] = name
        parameters[f"values_{number}"] = sorted(_readings(value))
        conditions.append(f"{LAST_METADATA.format(f'metadata_{number}')} IN {{values_{number}:Array(String)}}")
    return " AND ".join(conditions), parameters


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

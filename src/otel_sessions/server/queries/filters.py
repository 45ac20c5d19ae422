"""Which sessions a list is of: conditions on rows of `sessions`, as SQL with parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from otel_sessions.attributes import ID_KEY
from otel_sessions.rules import MetadataValue
from otel_sessions.server.projections.group_rows import metadata_json

_CONDITIONS: Final = {
    "q": "lowerUTF8(concat(Id, '\\n', ifNull(Name, ''))) LIKE concat('%', lowerUTF8({like:String}), '%')",
    "name": "ifNull(Name = {name:String}, 0)",
    "user_id": "has(UserIds, {user_id:String})",
    "environment": "has(Environments, {environment:String})",
    "service": "has(Services, {service:String})",
    "tag": "has(Tags, {tag:String})",
    "model": "has(Models, {model:String})",
    "failed": "(FailedTraces > 0) = {failed:UInt8}",
    "since": "LastActive >= {since:Int128}",
    "until": "Created < {until:Int128}",
    "min_cost": "ifNull(Cost >= {min_cost:Decimal(76, 38)}, 0)",
}
_TWO_LINES: Final = "(position(lowerUTF8(Id), lowerUTF8({q:String})) > 0 OR position(lowerUTF8(ifNull(Name, '')), lowerUTF8({q:String})) > 0)"
"""In addition for a text of several lines, which may not begin in the id and end in the name."""


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


def conditions(filters: SessionFilters) -> tuple[str, dict[str, Any]]:
    """The conditions on a row of `sessions` as SQL, and the parameters of it and of the key."""
    found = ["1"]
    parameters: dict[str, Any] = {"key": filters.key}
    for name, condition in _CONDITIONS.items():
        value = getattr(filters, name)
        if value is not None:
            found.append(condition)
            parameters[name] = int(value) if name == "failed" else value
    if filters.q is not None:
        parameters["like"] = _literally(filters.q)
        if "\n" in filters.q:
            found.append(_TWO_LINES)
    for number, (name, value) in enumerate(sorted(filters.metadata.items())):
        parameters[f"metadata_{number}"] = name
        parameters[f"values_{number}"] = sorted(_readings(value))
        found.append(f"{last_metadata(f'metadata_{number}')} IN {{values_{number}:Array(String)}}")
    return " AND ".join(found), parameters


def last_metadata(parameter: str) -> str:
    """The JSON of the value of the metadata name that a parameter gives, as SQL; empty if there is none."""
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

"""Which program a span or a log record comes from, and which of its events a record tells of.

Most log records tell of no event. That is found out with a few lookups in dictionaries.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from otel_sessions.dialects.emitters import ANY, EMITTERS, OPENTELEMETRY, Emitter, Event

EVENT_NAME: Final = "event.name"
_RECORD: Final = "record"
"""The event of a record without a name."""

_LONGEST: Final = 128
_NAME: Final = re.compile(rf"[A-Za-z0-9_.-]{{1,{_LONGEST}}}")
_KEPT: Final = ("gen_ai.", "session.")
"""Beginnings of OpenTelemetry's names, which any emitter may send."""


class Told(NamedTuple):
    """The event that a record tells of.

    Attributes:
        name: its full name, such as `claude_code.api_request`.
        is_named: the record names it.
    """

    emitter: Emitter
    name: str
    event: Event
    is_named: bool = True


@lru_cache(maxsize=1_024)
def emitter_of(scope: str, service: str | None) -> Emitter:
    """The program with this instrumentation scope, else the one with this service; `ANY` for one that is not known."""
    for emitter in EMITTERS:
        if scope.startswith(emitter.scopes):
            return emitter
    for emitter in EMITTERS:
        if service is not None and any(_is_service(service, pattern) for pattern in emitter.services):
            return emitter
    return ANY


def _is_service(service: str, pattern: str) -> bool:
    return service.startswith(pattern[:-1]) if pattern.endswith("*") else service == pattern


def _full(emitter: Emitter) -> Iterator[tuple[str, Told]]:
    for name, event in emitter.events.items():
        yield emitter.prefix + name, Told(emitter, emitter.prefix + name, event)


def _short(emitter: Emitter) -> Iterator[tuple[str, Told]]:
    for name, told in _full(emitter):
        yield name.removeprefix(emitter.prefix), told


_BY_FULL_NAME: Final = {name: told for emitter in (*EMITTERS, OPENTELEMETRY) for name, told in _full(emitter)}
_BY_EMITTER: Final = {
    emitter.prefix: {
        **_BY_FULL_NAME,
        **dict(_short(emitter)),
        **dict(_full(emitter)),
        **{name: told._replace(emitter=emitter) for name, told in _full(OPENTELEMETRY)},
    }
    for emitter in EMITTERS
}
_BY_EMITTER[ANY.prefix] = _BY_FULL_NAME


def told_by(scope: str, service: str | None, event_name: str, attributes: Mapping[str, Any], body: Any) -> Told | None:
    """The event that a log record tells of; `None` for one that is not from a known emitter and tells of no known event.

    Its name is the record's event name if that is known, else the attribute `event.name`, else the body, with or without
    the emitter's prefix. An unknown event of a known emitter is an activity.
    """
    emitter = emitter_of(scope, service)
    known = _BY_EMITTER[emitter.prefix]
    told = known.get(event_name) if event_name else None
    if told is None:
        named = attributes.get(EVENT_NAME)
        told = known.get(named) if type(named) is str else None
        if told is None and type(body) is str and len(body) <= _LONGEST:
            told = known.get(body)
        if told is None and emitter is not ANY:
            told = _unknown(emitter, (named, event_name, body))
    return told


def _unknown(emitter: Emitter, names: tuple[Any, ...]) -> Told:
    """The event of a record that none of these names is known of; the last is a name only with the emitter's prefix."""
    named, event_name, body = names
    if isinstance(body, str) and not body.startswith(emitter.prefix):
        body = None
    for name in (named, event_name, body):
        if isinstance(name, str) and _NAME.fullmatch(name):
            full = name if name.startswith((emitter.prefix, *_KEPT)) else emitter.prefix + name
            return Told(emitter, full, Event())
    return Told(emitter, emitter.prefix + _RECORD, Event(), is_named=False)

"""The table of emitters is in order: a new entry that is not fails here."""

from __future__ import annotations

import pytest

from otel_sessions.dialects import emitters
from otel_sessions.dialects.emitters import EMITTERS, GOOSE, OPENCODE, OPENTELEMETRY, Emitter

MEANINGS = {
    *(emitters.CALL, emitters.FAILED_CALL, emitters.REQUEST, emitters.PROMPT, emitters.TOOL, emitters.AGENT),
    *(emitters.SESSION_START, emitters.SESSION_END, emitters.ACTIVITY),
}


@pytest.mark.parametrize("emitter", EMITTERS, ids=[emitter.prefix for emitter in EMITTERS])
def test_an_emitter_can_be_recognised(emitter: Emitter) -> None:
    """It has a prefix of its own, and a scope or a service; its events are named without the prefix."""
    assert emitter.prefix.endswith(".")
    assert [other for other in EMITTERS if other.prefix == emitter.prefix] == [emitter]
    assert emitter.scopes or emitter.services
    assert not any(name.startswith(emitter.prefix) for name in emitter.events)


@pytest.mark.parametrize("emitter", [*EMITTERS, OPENTELEMETRY], ids=[*(emitter.prefix for emitter in EMITTERS), "any"])
def test_events_have_a_meaning(emitter: Emitter) -> None:
    """Each is one of those that counting knows."""
    assert {event.meaning for event in emitter.events.values()} <= MEANINGS


def test_who_has_names_of_its_own() -> None:
    """The others are read by the names that all share, in one table."""
    assert [emitter for emitter in EMITTERS if not emitter.has_own_names] == [GOOSE, OPENCODE]

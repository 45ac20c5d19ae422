"""Facts are written and read back exactly."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.server.building import facts

from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.tokens import Usage
from otel_sessions.server.projections.facts_json import from_json, to_json, write_facts


@given(st.lists(facts, max_size=5))
@settings(deadline=None)
def test_facts_round_trip(spans: list[SpanFacts]) -> None:
    """Facts are read back with the same digits and types, in one line of JSON; their times are the first start and the last end."""
    assert repr(from_json(to_json(spans))) == repr(spans)
    assert b"\n" not in to_json(spans)
    if spans:
        written = write_facts(1, spans)
        assert (written.start, written.end) == (min(s.start for s in spans), max(s.end for s in spans))


def test_facts_of_an_older_version() -> None:
    """Facts that were stored before the last fields came are read, with the defaults of these."""
    span = SpanFacts(1, None, 1, 2, False, "llm", "scope", "name", call=Call(Usage(10, 2), "gpt-4o"))
    (fields,) = json.loads(to_json([span]))
    older = fields[:12]
    older[11] = [fields[11][0][:8], *fields[11][1:9]]
    assert from_json(json.dumps([older])) == [span]

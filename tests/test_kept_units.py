"""Calls that spans and log records tell of are counted once by an exporter, also when it forgets one of the two."""

from __future__ import annotations

import random
from collections.abc import Iterable
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.counting.ledgers import SESSION, OneCall, calls

from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.tokens import Usage
from otel_sessions.rollups import RollupLimits, Rollups

_TOLD = {"has_id": True, "spans": True, "records": True, "twins": True, "in_trace": False}


def numbers(rollups: Rollups) -> tuple[int, int | None, int | None]:
    """Calls, input and output of the session."""
    session = rollups.session(SESSION, "id")
    assert session is not None
    return session.call_count, session.input_tokens, session.output_tokens


def right(truth: Iterable[OneCall]) -> tuple[int, int, int]:
    """The same, as it has to be."""
    usages = [call.usage for call in truth]
    return (
        len(usages),
        sum(usage.input_tokens or 0 for usage in usages),
        sum(usage.output_tokens or 0 for usage in usages),
    )


@settings(max_examples=60, deadline=None)
@given(truth=calls(), data=st.data())
def test_any_order_of_spans_and_records(truth: list[OneCall], data: st.DataObject) -> None:
    """Spans and records in any order, split and repetition, read in between: the calls, and a list that adds up to them."""
    told = [one for call in truth for one in call.told()]
    sent = data.draw(st.permutations(told + data.draw(st.lists(st.sampled_from(told), max_size=4))))
    rollups = Rollups()
    while sent:
        size = data.draw(st.integers(1, len(sent)))
        batch, sent = sent[:size], sent[size:]
        rollups.add(batch)
        if data.draw(st.booleans()):
            rollups.session(SESSION, "id")
    assert numbers(rollups) == right(truth)
    counted = [entry for entry in rollups.calls(SESSION, "id") if entry.counted]
    assert len(counted) == len(truth)
    assert sum(entry.input_tokens or 0 for entry in counted) == right(truth)[1]


@settings(max_examples=60, deadline=None)
@given(truth=calls(), limit=st.integers(1, 6), seed=st.integers(0, 9))
def test_what_is_forgotten_is_not_counted_again(truth: list[OneCall], limit: int, seed: int) -> None:
    """No call counts twice, whatever is forgotten; all are counted where nothing came too late."""
    rollups = Rollups(limits=RollupLimits(traces=limit))
    rng = random.Random(seed)
    for start in range(0, len(truth), 3):
        told = [one for call in truth[start : start + 3] for one in call.told()]
        rng.shuffle(told)
        rollups.add(told)
    every = [one for call in truth for one in call.told()]
    rollups.add(_filler(7))
    late = rollups.session(SESSION, "id")
    assert late is not None
    if not late.late_span_count:
        assert numbers(rollups) == right(truth)
    before = numbers(rollups)
    assert all((one or 0) <= all_ for one, all_ in zip(before, right(truth), strict=True))
    rollups.add(rng.choices(every, k=3))
    assert numbers(rollups) == before


def _filler(count: int) -> list[tuple[int, SpanFacts]]:
    """Traces of another session, which need room."""
    plain = SpanFacts(1, None, 1, 2, False, "other", "app", "x", (("id", "other"),))
    return [(0xF000 + number, plain) for number in range(count)]


def test_a_trace_is_forgotten_before_its_records() -> None:
    """The records that it took are not counted in their cell, nor when they come again."""
    call = OneCall(0, 1_000, Usage(10, 1), **_TOLD)
    rollups = Rollups(limits=RollupLimits(traces=3))
    spans = [one for one in call.told() if not one[1].event]
    records = [one for one in call.told() if one[1].event]
    rollups.add([*spans, *records])
    rollups.add(_filler(2))
    assert numbers(rollups) == (1, 10, 1)
    rollups.add(records)
    assert numbers(rollups) == (1, 10, 1)


def test_records_are_forgotten_before_their_trace() -> None:
    """A span that comes later is counted with the cost that the forgotten record told."""
    call = OneCall(0, 1_000, Usage(10, 1), **_TOLD)
    rollups = Rollups(limits=RollupLimits(traces=3))
    spans = [one for one in call.told() if not one[1].event]
    rollups.add([one for one in call.told() if one[1].event])
    rollups.add(spans)
    rollups.add(_filler(2))
    unit, span = spans[0]
    rollups.add([(unit, span._replace(span_id=99, call=None, kind="other", parent_id=span.span_id))])
    session = rollups.session(SESSION, "id")
    assert session is not None
    assert (session.call_count, session.span_count) == (1, 2)
    assert session.total_cost == Decimal(1)

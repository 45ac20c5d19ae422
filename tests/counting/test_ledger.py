"""A call counts once, whatever tells of it, in whatever order."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.counting.building import AT, MS
from tests.counting.ledgers import IN_SESSION, SECOND, SESSION, OneCall, calls

from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.fold import fold
from otel_sessions.counting.ledger import resolve_units, roll_up_units
from otel_sessions.counting.model_call import ModelCall, list_calls
from otel_sessions.counting.session import SessionRollup
from otel_sessions.counting.tokens import Usage
from otel_sessions.counting.units import CELL_NS, unit_of


def units_of(told: Iterable[tuple[int, SpanFacts]]) -> dict[int, list[SpanFacts]]:
    """Facts by unit."""
    units: dict[int, list[SpanFacts]] = {}
    for unit, facts in told:
        units.setdefault(unit, []).append(facts)
    return units


def session_of(told: Iterable[tuple[int, SpanFacts]]) -> SessionRollup:
    """The session that these make up."""
    rolled_up = roll_up_units(units_of(told), None)
    groups = [group for one in rolled_up.values() if one is not None for group in one.groups]
    return fold("id", SESSION, groups)


def listed(told: Iterable[tuple[int, SpanFacts]]) -> list[ModelCall]:
    """The list of calls of the session."""
    return [
        entry
        for unit, one in resolve_units(units_of(told), None).items()
        if one.resolved is not None
        for entry in list_calls(unit, one.resolved, ("id", SESSION), is_cell=one.cell is not None)
    ]


@given(calls(), st.randoms(use_true_random=False), st.integers(1, 3))
def test_any_telling_of_calls_gives_these_calls(given_calls: list[OneCall], rng: object, times: int) -> None:
    """Spans, records, both, doubled and in any order: as many calls as there are, with their tokens."""
    told = [one for call in given_calls for one in call.told()] * times
    rng.shuffle(told)  # type: ignore[attr-defined]
    session = session_of(told)
    assert session.call_count == len(given_calls)
    assert session.input_tokens == sum(call.usage.input_tokens or 0 for call in given_calls)
    assert session.output_tokens == sum(call.usage.output_tokens or 0 for call in given_calls)
    reported = [Decimal(call.number + 1) for call in given_calls if call.records]
    assert session.total_cost == (sum(reported) if reported else None)


@given(calls(), st.booleans())
def test_sessions_of_other_keys_are_counted_in_the_same_way(given_calls: list[OneCall], also_by_id: bool) -> None:
    """Where only another key names the session, or a second one besides, each call is one as well."""
    values = (("ticket", "7"), *(IN_SESSION if also_by_id else ()))
    told = []
    for unit, facts in (one for call in given_calls for one in call.told()):
        keyed = facts._replace(values=tuple(sorted(values)))
        told.append((unit_of(keyed) if unit == unit_of(facts) and facts.event else unit, keyed))
    rolled_up = roll_up_units(units_of(told), None)
    groups = [group for one in rolled_up.values() if one is not None for group in one.groups]
    for key, value in values:
        session = fold(key, value, [group for group in groups if (group.key, group.value) == (key, value)])
        assert session.call_count == len(given_calls)


@given(calls())
def test_the_list_of_calls_adds_up_to_the_totals(given_calls: list[OneCall]) -> None:
    """The counted entries are the session's calls, tokens and cost; the others say what they repeat."""
    told = [one for call in given_calls for one in call.told()]
    session, entries = session_of(told), listed(told)
    counted = [entry for entry in entries if entry.counted]
    assert len(counted) == session.call_count
    assert sum(entry.total_tokens or 0 for entry in counted) == session.total_tokens
    assert sum(entry.total_cost or 0 for entry in counted) == (session.total_cost or 0)
    assert len(entries) == len(told)
    ids = {entry.span_id for entry in counted}
    assert all(entry.counted_as in ids and entry.reason == "duplicate" for entry in entries if not entry.counted)
    for entry, call in zip(sorted(counted, key=lambda entry: entry.input_tokens or 0), given_calls, strict=True):
        assert entry.evidence == tuple(
            kind for kind, told_by in (("span", call.spans), ("log", call.records or call.twins)) if told_by
        )


@given(calls())
def test_how_many_entries_are_listed_is_known(given_calls: list[OneCall]) -> None:
    """The number that pages are found by is the number of entries."""
    units = units_of(one for call in given_calls for one in call.told())
    for unit, one in roll_up_units(units, None).items():
        resolved = resolve_units(units, None)[unit]
        entries = [] if resolved.resolved is None else list_calls(unit, resolved.resolved, ("id", SESSION))
        assert [group.listed for group in (one.groups if one is not None else ())] in ([len(entries)], [])


def record(number: int, end: int = 0, **more: object) -> SpanFacts:
    """A record of a call of 100 + `number` tokens that ended so many ms after the start."""
    at = AT + end * MS
    facts = SpanFacts(number, None, at, at, False, "llm", "agent", "e", IN_SESSION, call=Call(Usage(100 + number, 1)))
    return facts._replace(event="e")._replace(**more)  # type: ignore[arg-type]


def test_a_sum_is_not_counted_beside_records_of_its_parts() -> None:
    """A turn that reports the sum of its calls gives way to the records of these calls, which may be in no trace."""
    turn = SpanFacts(
        1, None, AT, AT + 60 * SECOND, False, "agent", "agent", "turn", IN_SESSION, call=Call(Usage(203, 2))
    )
    told = [(0xA, turn), *((unit_of(one), one) for one in (record(11, 5_000), record(12, 30_000)))]
    session = session_of(told)
    assert (session.call_count, session.input_tokens) == (2, 223)
    alone = session_of([(0xA, turn)])
    assert (alone.call_count, alone.input_tokens) == (1, 203)
    assert [entry.reason for entry in listed(told) if not entry.counted] == ["covered_by_children"]


def test_turns_are_counted_where_there_is_no_trace() -> None:
    """Records of two turns are two turns; those that spans tell of as well are the traces."""
    told = [
        (unit_of(one), one)
        for one in (record(1, 0, turn="a"), record(2, 900, turn="a"), record(3, CELL_NS // MS, turn="b", failed=True))
    ]
    session = session_of(told)
    assert (session.trace_count, session.failed_trace_count, session.span_count) == (2, 1, 0)
    spans = [(0xA, one._replace(span_id=50 + one.span_id, event="", turn=None)) for _, one in told]
    assert session_of(spans).trace_count == 1
    assert session_of([*spans, *told]).trace_count == 1


def test_a_cell_is_busy_while_its_turns_go_on() -> None:
    """Between two turns of one cell a session is idle, and a turn takes as long as its records say."""
    first = record(1, 2_000, start=AT, turn="a")
    second = record(2, 242_000, start=AT + 240 * SECOND, turn="b", failed=True)
    session = session_of([(unit_of(one), one) for one in (first, second)])
    assert session.latency_ms == 2_000
    assert session.time == {
        **dict.fromkeys(("model_wait_ms", "tool_ms", "human_ms", "other_ms"), 0.0),
        "generation_ms": 4_000,
        "idle_ms": 238_000,
    }
    assert session.duration_ms == 242_000
    (rolled_up,) = roll_up_units({unit_of(first): [first, second]}, None).values()
    assert rolled_up is not None
    assert rolled_up.groups[0].failed


def test_a_trace_without_calls_tells_of_its_turn() -> None:
    """Where spans tell of tools only and records of the calls and the prompt, there is one turn and each call once."""
    tool = SpanFacts(1, None, AT, AT + 9 * SECOND, False, "tool", "agent", "Read", IN_SESSION)
    prompt = record(7, 1, call=None, kind="other", event="prompt", turn="a")
    told = [(0xA, tool), *((unit_of(one), one) for one in (prompt, record(8, 5_000, turn="a")))]
    session = session_of(told)
    assert (session.call_count, session.span_count) == (1, 1)
    assert session.trace_count == 1
    assert session_of(told[:2]).trace_count == 1
    assert session_of(told[1:]).trace_count == 1


def test_equal_calls_within_seconds_are_as_many_as_one_event_tells() -> None:
    """Two records of one event are two calls, however alike; a record of another event tells of one of them."""
    alike = [record(number, number, call=Call(Usage(7, 7))) for number in (1, 2, 3)]
    twins = [one._replace(span_id=40 + one.span_id, event="f") for one in alike[:2]]
    session = session_of([(unit_of(one), one) for one in (*alike, *twins)])
    assert (session.call_count, session.input_tokens) == (3, 21)


def test_an_id_that_differs_keeps_calls_apart() -> None:
    """The same tokens at the same time with two ids of one kind are two calls."""
    ids = [record(1, call=Call(Usage(7, 7), response_id=f"req_{letter * 20}")) for letter in "ab"]
    told = [(0xA, ids[0]._replace(span_id=9, event="")), (unit_of(ids[1]), ids[1])]
    assert session_of(told).call_count == 2


def test_a_record_inside_the_span_of_its_call_is_that_call() -> None:
    """OpenTelemetry's event of a call is written in its span, also where its tokens differ from those of the span."""
    span = record(1, 5_000)._replace(span_id=9, event="")
    inside = record(2, 5_000, parent_id=9, call=Call(Usage(90, 1)))
    session = session_of([(0xA, span), (0xA, inside)])
    assert (session.call_count, session.input_tokens, session.span_count) == (1, 101, 1)

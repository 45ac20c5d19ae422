"""`sessions_of`: which sessions a trace's spans belong to."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.counting.building import AT, MS, TRACE, fact, totals

from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.membership import sessions_of
from otel_sessions.counting.tokens import Usage
from otel_sessions.counting.trace import roll_up


def span(span_id: int, parent: int | None = None, *cut: str, **values: str) -> SpanFacts:
    """A span with session keys of its own, cut from others."""
    return fact(span_id, parent, values=tuple(sorted(values.items())), cut=cut)


def members(*spans: SpanFacts) -> dict[int, dict[str, str]]:
    """Key and value of every span's sessions."""
    return {span_id: dict(pairs) for span_id, pairs in sessions_of({one.span_id: one for one in spans}).items()}


def test_no_session_anywhere() -> None:
    """A trace without any session belongs to none."""
    assert members(span(1), span(2, 1)) == {1: {}, 2: {}}


def test_all_spans_say_the_same() -> None:
    """A trace whose spans all carry the same session belongs to it."""
    assert members(span(1, id="a", t="1"), span(2, 1, id="a", t="1")) == {
        1: {"id": "a", "t": "1"},
        2: {"id": "a", "t": "1"},
    }


def test_own_value_before_the_ancestors() -> None:
    """A span's own value wins, and is lent to those below it."""
    found = members(span(1, id="a"), span(2, 1, id="b"), span(3, 2), span(4, 3), span(5, 1))
    assert {one: sessions["id"] for one, sessions in found.items()} == {1: "a", 2: "b", 3: "b", 4: "b", 5: "a"}


def test_nearest_ancestor_through_any_depth() -> None:
    """A value reaches down a long line of spans that say nothing."""
    line = [span(1, id="a"), span(2, id="b"), *(span(i, i - 2) for i in range(3, 3000))]
    found = members(*line)
    assert all(found[i] == {"id": "a" if i % 2 else "b"} for i in range(1, 3000))


def test_the_single_value_of_a_trace_is_everyones() -> None:
    """A parent, an orphan and a second root get the trace's value if it has only one."""
    found = members(span(1), span(2, 1, id="a"), span(3, 99), span(4))
    assert all(sessions == {"id": "a"} for sessions in found.values())


def test_two_values_are_no_ones_else() -> None:
    """Spans above two sessions of a trace belong to neither."""
    found = members(span(1), span(2, 1, id="a"), span(3, 1, id="b"), span(4, 3), span(5, 99))
    assert found == {1: {}, 2: {"id": "a"}, 3: {"id": "b"}, 4: {"id": "b"}, 5: {}}


def test_keys_are_decided_one_by_one() -> None:
    """Two sessions of one key do not touch another key that has one value."""
    found = members(span(1, t="1"), span(2, 1, id="a"), span(3, 1, id="b"))
    assert found == {1: {"t": "1"}, 2: {"id": "a", "t": "1"}, 3: {"id": "b", "t": "1"}}


@pytest.mark.parametrize("cut", ["id", "*"])
def test_a_cut_span_belongs_to_none(cut: str) -> None:
    """A cut span gets neither its own value nor an inherited one nor the trace's."""
    assert members(span(1, id="a"), span(2, 1, cut)) == {1: {"id": "a"}, 2: {}}
    assert members(span(1, id="a"), span(2, 1, cut, id="a")) == {1: {"id": "a"}, 2: {}}


def test_a_cut_span_lends_nothing() -> None:
    """Spans below a cut span are cut too until one has its own value, and the cut value is inherited by none."""
    found = members(span(1, id="a"), span(2, 1, "id"), span(3, 2), span(4, 3, id="b"), span(5, 4))
    assert found == {1: {"id": "a"}, 2: {}, 3: {}, 4: {"id": "b"}, 5: {"id": "b"}}
    assert members(span(1, None, "id", id="a"), span(2, 1), span(3)) == {1: {}, 2: {}, 3: {}}


def test_a_cut_of_one_key_leaves_the_others() -> None:
    """`*` cuts every key, and a name cuts only its own."""
    assert members(span(1, id="a", t="1"), span(2, 1, "t")) == {1: {"id": "a", "t": "1"}, 2: {"id": "a"}}
    assert members(span(1, id="a", t="1"), span(2, 1, "*")) == {1: {"id": "a", "t": "1"}, 2: {}}
    assert members(span(1, id="a"), span(2, 1, "other")) == {1: {"id": "a"}, 2: {"id": "a"}}


def test_the_same_values_and_a_cut() -> None:
    """Spans that all say the same are not all members if one is cut."""
    assert members(span(1, id="a"), span(2, 1, "id", id="a")) == {1: {"id": "a"}, 2: {}}
    assert members(span(1, None, "id", id="a"), span(2, 1, "id", id="a")) == {1: {}, 2: {}}


def test_a_remote_parent_that_is_not_here() -> None:
    """A span whose parent is in another process is treated as a root."""
    found = members(span(1, 77, id="a"), span(2, 1), span(3, 78))
    assert all(sessions == {"id": "a"} for sessions in found.values())


def test_a_parent_cycle_ends() -> None:
    """Spans that are each other's ancestors are rolled up once, with the value that one of them has."""
    for spans in ([span(1, 2, id="a"), span(2, 1)], [span(1, 1), span(2, 3, id="a"), span(3, 2)]):
        rollup = roll_up(TRACE, spans)
        assert rollup is not None
        (group,) = rollup.groups
        assert (group.value, group.span_count) == ("a", len(spans))


def ranked(span_id: int, parent: int | None, value: str, rank: int, **more: Any) -> SpanFacts:
    """A span that names a session `id` by a name of this rank."""
    return fact(span_id, parent, values=(("id", value),), rank=rank, **more)


@pytest.mark.parametrize(
    ("outer", "inner", "value"),
    [
        (0, 5, "outer"),
        (0, 0, "inner"),
        (0, 1, "outer"),
        (1, 1, "inner"),
        (1, 5, "outer"),
        (5, 1, "inner"),
        (5, 5, "inner"),
        (5, 6, "outer"),
        (6, 5, "inner"),
        (1_000, 5, "inner"),
        (0, 1_000, "outer"),
    ],
)
def test_an_ancestor_with_a_higher_name_keeps_a_span(outer: int, inner: int, value: str) -> None:
    """A span stays in the session of an ancestor whose name ranks higher, and so do the spans below it."""
    found = members(ranked(1, None, "outer", outer), span(2, 1), ranked(3, 2, "inner", inner), span(4, 3))
    assert (found[3], found[4]) == ({"id": value}, {"id": value})


def test_a_cut_lends_no_rank() -> None:
    """Below a span that was taken out of its session, the name of another SDK counts."""
    found = members(ranked(1, None, "outer", 0), span(2, 1, "id"), ranked(3, 2, "alias", 5))
    assert found[3] == {"id": "alias"}


def test_the_value_of_the_trace_is_that_of_the_highest_names() -> None:
    """A span without ancestors is in the only session that the highest names of the trace give."""
    found = members(ranked(1, None, "app", 0), ranked(2, None, "alias", 5), span(3))
    assert found == {1: {"id": "app"}, 2: {"id": "alias"}, 3: {"id": "app"}}


COPY: dict[str, Any] = {"kind": "llm", "start": AT, "end": AT + 100 * MS}


@pytest.mark.parametrize("first", [0, 5])
def test_copies_in_two_sessions_are_counted_in_the_one_with_the_higher_name(first: int) -> None:
    """Two spans of one call are one call of one session, whichever of them is kept."""
    call = Call(Usage(10, 2), "gpt-4o")
    one = ranked(1, None, "one", first, scope="a", call=call, **COPY)
    other = ranked(2, None, "other", 5 - first, scope="b", call=call, **{**COPY, "end": AT + 90 * MS})
    rollup = roll_up(TRACE, [one, other])
    assert rollup is not None
    winner = "one" if first == 0 else "other"
    assert {group.value: totals(group).call_count for group in rollup.groups} == {
        "one": int(winner == "one"),
        "other": int(winner == "other"),
    }


def test_calls_in_two_sessions_by_names_of_one_rank_are_two() -> None:
    """Two sessions that the application named are not mixed, however alike their calls are."""
    call = Call(Usage(10, 2), "gpt-4o")
    spans = [ranked(i, None, f"s{i}", 0, scope="ab"[i], call=call, **COPY) for i in range(2)]
    rollup = roll_up(TRACE, spans)
    assert rollup is not None
    assert [totals(group).call_count for group in rollup.groups] == [1, 1]


def test_a_copy_tells_the_session_of_another_key() -> None:
    """A key that only one of two copies has counts for the call."""
    call = Call(Usage(10, 2), "gpt-4o", response_id="r1")
    one = fact(1, None, values=(("id", "a"), ("t", "1")), scope="a", call=call, **COPY)
    other = fact(2, None, values=(("id", "a"),), cut=("t",), scope="b", call=call, **{**COPY, "end": AT + 90 * MS})
    rollup = roll_up(TRACE, [one, other])
    assert rollup is not None
    assert {(group.key, group.value): totals(group).call_count for group in rollup.groups} == {
        ("id", "a"): 1,
        ("t", "1"): 1,
    }


@st.composite
def copied_calls(draw: st.DrawFn) -> list[SpanFacts]:
    """Calls that several instrumentations saw, each span in a session by a name of some rank."""
    spans: list[SpanFacts] = []
    for number in range(draw(st.integers(1, 4))):
        for scope in draw(st.lists(st.sampled_from("abc"), unique=True, min_size=1)):
            start = AT + number * draw(st.sampled_from([0, 1])) * 1_000 * MS
            spans.append(
                ranked(
                    len(spans) + 1,
                    draw(st.none() | st.integers(1, len(spans))) if spans else None,
                    draw(st.sampled_from(["s1", "s2", "s3"])),
                    draw(st.sampled_from([0, 1, 5])),
                    kind="llm",
                    scope=scope,
                    start=start,
                    end=start + 100 * MS,
                    call=Call(
                        Usage(draw(st.integers(1, 2)), 1), "m", response_id=draw(st.sampled_from([None, f"r{number}"]))
                    ),
                )
            )
    return spans


@settings(max_examples=150, deadline=None)
@given(copied_calls())
def test_the_sessions_together_are_the_bill(spans: list[SpanFacts]) -> None:
    """Where every span is in a session, the calls and tokens of all sessions add up to those of the trace."""
    rollup = roll_up(TRACE, spans)
    assert rollup is not None
    assert sum(totals(group).call_count for group in rollup.groups) == totals(rollup.whole).call_count
    assert input_tokens(rollup.groups) == input_tokens([rollup.whole])


KEYS = st.dictionaries(st.sampled_from(["id", "t"]), st.sampled_from(["a", "b", "c"]), max_size=2)


@st.composite
def traces(draw: st.DrawFn) -> list[SpanFacts]:
    """Up to 14 spans with any parents at all, cycles and strangers included, each a call of some tokens."""
    return [
        fact(
            span_id,
            draw(st.none() | st.integers(1, 16)),
            values=tuple(sorted(draw(KEYS).items())),
            cut=draw(st.sampled_from([(), (), (), (), ("id",), ("*",)])),
            call=draw(st.none() | st.integers(1, 9).map(lambda count: Call(Usage(count)))),
            start=draw(st.integers(1, 5)),
            end=10,
        )
        for span_id in range(1, draw(st.integers(1, 14)) + 1)
    ]


def input_tokens(groups: Iterable[Any]) -> int:
    """Their input tokens together."""
    return sum(totals(group).input_tokens or 0 for group in groups)


@settings(max_examples=120, deadline=None)
@given(traces(), st.randoms())
def test_sessions_never_get_more_than_the_trace(spans: list[SpanFacts], order: random.Random) -> None:
    """For each key, spans and tokens of all sessions together never exceed the trace's, in any order of arrival."""
    rollup = roll_up(TRACE, spans)
    assert rollup is not None
    for key in ("id", "t"):
        groups = [group for group in rollup.groups if group.key == key]
        assert sum(group.span_count for group in groups) <= rollup.whole.span_count
        assert input_tokens(groups) <= input_tokens([rollup.whole])
        assert all(group.conflict == (len(groups) > 1) for group in groups)
    order.shuffle(spans)
    assert roll_up(TRACE, spans) == rollup


@settings(max_examples=120, deadline=None)
@given(traces())
def test_every_member_has_a_reason(spans: list[SpanFacts]) -> None:
    """A span is in a session only if a span of the trace names it: in its own if it has one, in none if it is cut."""
    acyclic = [one._replace(parent_id=None if (one.parent_id or 0) >= one.span_id else one.parent_id) for one in spans]
    found = members(*acyclic)
    for one in acyclic:
        for key in ("id", "t"):
            value = found[one.span_id].get(key)
            if key in one.cut or "*" in one.cut:
                assert value is None
            elif key in dict(one.values):
                assert value == dict(one.values)[key]
            elif value is not None:
                assert any(value == dict(other.values).get(key) for other in acyclic)

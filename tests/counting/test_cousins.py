"""`match_cousins`: the same call seen side by side."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.counting.building import AT, MS, fact
from tests.steps import steps

from otel_sessions.counting.cousins import TOLERANCE_NS, match_cousins
from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.membership import members_of
from otel_sessions.counting.tokens import Usage

LANGCHAIN = "openinference.instrumentation.langchain"
OPENAI = "opentelemetry.instrumentation.openai_v2"


def call(
    span_id: int,
    scope: str = OPENAI,
    at: tuple[int, int] = (0, 100),
    tokens: tuple[int | None, int | None] | None = (10, 2),
    **more: Any,
) -> SpanFacts:
    """A model call at a time in ms."""
    ids = {name: more.pop(name) for name in ("model", "request_model", "response_id", "call_id") if name in more}
    usage = None if tokens is None else Usage(*tokens)
    start, end = AT + at[0] * MS, AT + at[1] * MS
    return fact(span_id, None, **{"kind": "llm", **more}, scope=scope, start=start, end=end, call=Call(usage, **ids))


def matched(spans: Sequence[SpanFacts], *, fuzzy: bool = True) -> set[tuple[int, int]]:
    """(dropped, kept) pairs, each span dropped at most once."""
    found = list(match_cousins(spans, members_of({span.span_id: span for span in spans}), fuzzy=fuzzy))
    assert len(dict(found)) == len(found)
    return set(found)


def pairs(*spans: SpanFacts, fuzzy: bool = True) -> set[tuple[int, int]]:
    """(dropped, kept) pairs; the order of the spans must not matter."""
    found = matched(spans, fuzzy=fuzzy)
    for order in itertools.islice(itertools.permutations(spans), 24):
        assert matched(order, fuzzy=fuzzy) == found
    return found


@pytest.mark.parametrize("field", ["response_id", "call_id"])
@pytest.mark.parametrize(
    ("other", "same"),
    [
        pytest.param(call(2, OPENAI, (0, 90)), True, id="equal tokens"),
        pytest.param(call(2, OPENAI, (0, 90), None), True, id="one silent"),
        pytest.param(call(2, LANGCHAIN, (0, 90)), True, id="one scope"),
        pytest.param(call(2, OPENAI, (120, 200)), True, id="times that touch"),
        pytest.param(call(2, LANGCHAIN, (0, 90), (11, 2)), False, id="other input"),
        pytest.param(call(2, LANGCHAIN, (0, 90), (10, 3)), False, id="other output in one scope"),
        pytest.param(call(2, OPENAI, (0, 90), (10, 3)), True, id="a stream that two instrumentations count"),
        pytest.param(call(2, OPENAI, (5000, 5090), (10, 3)), False, id="other output at another time"),
        pytest.param(call(2, OPENAI, (5000, 5090)), False, id="another time"),
        pytest.param(call(2, OPENAI, (500, 590), None), False, id="silent at another time"),
    ],
)
def test_an_id_in_common_and_nothing_that_contradicts(field: str, other: SpanFacts, same: bool) -> None:
    """Calls with one id are one call unless their tokens or times say otherwise, and the innermost is kept."""
    ids: dict[str, Any] = {field: "r1"}
    told = other.call
    assert told is not None
    other = other._replace(call=told._replace(**ids))
    one = call(1, LANGCHAIN, (0, 100), **ids)
    assert pairs(one, other, fuzzy=False) == ({(1, 2) if told.usage else (2, 1)} if same else set())


def test_another_id_that_differs_keeps_both() -> None:
    """A client may give one call id to a whole conversation; the responses then tell the calls apart."""
    spans = [call(i, OPENAI, (0, 100), response_id=f"r{i}", call_id="conversation-7") for i in range(3)]
    assert pairs(*spans) == set()
    spans = [call(i, OPENAI, (0, 100), response_id="r1", call_id=f"c{i}") for i in range(2)]
    assert pairs(*spans) == set()


@pytest.mark.parametrize("id_", ["None", "null", "1", "417", "chatcmpl-417", "", " ", "undefined"])
def test_what_is_no_id(id_: str) -> None:
    """Placeholders, small numbers and ids drawn from a thousand numbers say nothing, neither for nor against."""
    assert pairs(call(1, at=(0, 100), response_id=id_), call(2, at=(50, 150), response_id=id_)) == set()
    spans = (call(1, LANGCHAIN, (0, 120), response_id=id_), call(2, OPENAI, (10, 110), response_id="chatcmpl-9f"))
    assert pairs(*spans) == {(1, 2)}


@pytest.mark.parametrize(
    ("id_", "later", "same"),
    [
        ("resp-1", 900, True),
        ("resp-1", 5_000, False),
        ("chatcmpl-BxYzK7mQpL2vN8aRt", 3_600_000, True),
    ],
)
def test_a_response_that_is_read_again(id_: str, later: int, same: bool) -> None:
    """A long id never repeats, so the response is the same one; a short one may repeat, unless it comes right after."""
    spans = (call(1, at=(0, 100), response_id=id_), call(2, at=(100 + later, 200 + later), response_id=id_))
    assert bool(pairs(*spans)) is same


def test_three_with_one_id() -> None:
    """One of three calls with the same id is kept."""
    spans = [call(i, "abc"[i], (0, 100 + i), response_id="r1") for i in range(3)]
    assert pairs(*spans) == {(1, 0), (2, 0)}


def test_a_report_is_kept_before_silence() -> None:
    """Of two calls with one id the one that reports usage is kept, although it is the outer one."""
    spans = (call(1, at=(0, 10), tokens=None, response_id="r1"), call(2, at=(0, 900), response_id="r1"))
    assert pairs(*spans) == {(1, 2)}


def test_both_ids_in_turn() -> None:
    """A call may be found by the response's id and another by the client's."""
    spans = (
        call(1, at=(0, 100), response_id="r1", call_id="c1"),
        call(2, at=(0, 200), response_id="r1"),
        call(3, at=(0, 300), call_id="c1"),
    )
    assert pairs(*spans) == {(2, 1), (3, 1)}


def test_no_two_alike() -> None:
    """Calls of one scope with different ids are all kept."""
    assert pairs(call(1, response_id="r1"), call(2, response_id="r2"), call(3)) == set()


def test_the_same_call_without_an_id() -> None:
    """LangChain's span is dropped if the provider's call lies within its time and has the same numbers and a matching model."""
    spans = (
        call(1, LANGCHAIN, (0, 120), model="gpt-4o-mini"),
        call(2, OPENAI, (10, 110), model="gpt-4o-mini-2024-07-18", response_id="r1"),
    )
    assert pairs(*spans) == {(1, 2)}
    assert pairs(*spans, fuzzy=False) == set()


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(call(2, LANGCHAIN, (10, 90)), id="same scope"),
        pytest.param(call(2, OPENAI, (10, 90), (10, 3)), id="other output"),
        pytest.param(call(2, OPENAI, (10, 90), (11, 2)), id="other input"),
        pytest.param(call(2, OPENAI, (10, 90), None), id="no usage and no model"),
        pytest.param(call(2, OPENAI, (10, 90), None, model="o4-mini"), id="no usage and another model"),
        pytest.param(call(2, OPENAI, (60, 170)), id="ends too late"),
        pytest.param(call(2, OPENAI, (200, 290)), id="another time"),
        pytest.param(call(2, OPENAI, (10, 90), model="o4-mini"), id="other model"),
        pytest.param(call(2, OPENAI, (10, 90), response_id="r2"), id="other response id"),
        pytest.param(call(2, OPENAI, (10, 90), failed=True), id="one failed"),
        pytest.param(call(2, OPENAI, (10, 90), kind="embedding"), id="other kind"),
        pytest.param(call(2, OPENAI, (10, 90), values=(("id", "other"),)), id="other session"),
        pytest.param(call(2, OPENAI, (10, 90), call_id="c2"), id="other call id"),
    ],
)
def test_anything_that_does_not_fit_keeps_both(other: SpanFacts) -> None:
    """One difference is enough to keep both, since two real calls must not become one."""
    one = call(1, LANGCHAIN, (0, 100), model="gpt-4o", response_id="r1", call_id="c1", values=(("id", "mine"),))
    assert pairs(one, other) == set()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("gpt-4o", "gpt-4o-2024-08-06", True),
        ("gpt-4o", "openai/gpt-4o", True),
        ("models/gemini-2.5-pro", "gemini-2.5-pro", True),
        ("GPT-4o", "gpt-4o", True),
        ("claude-sonnet-4-20250514", "claude-sonnet-4", True),
        ("claude-3-5-sonnet@20240620", "claude-3-5-sonnet", True),
        ("gpt-4-0613", "gpt-4", True),
        ("gpt-4o", "gpt-4o-mini", False),
        ("gpt-4.1", "gpt-4", False),
        ("gpt-4o", None, True),
        (None, None, True),
    ],
)
def test_models_that_could_be_the_same(one: str | None, other: str | None, same: bool) -> None:
    """Model names match if they differ by a prefix, a date or case, or if one is missing."""
    spans = (call(1, LANGCHAIN, (0, 120), model=one), call(2, OPENAI, (10, 110), model=other))
    assert bool(pairs(*spans)) is same


@pytest.mark.parametrize(
    "hints",
    [
        {"values": (("id", "mine"),)},
        {"call_id": "c1"},
        {"response_id": "r1"},
        {"values": (("id", "mine"),), "call_id": "c1", "model": "m"},
    ],
)
def test_what_only_one_of_them_says_does_not_part_them(hints: dict[str, Any]) -> None:
    """A session, an id or a model on one side alone keeps no calls apart, nor does the same session on both."""
    assert pairs(call(1, LANGCHAIN, (0, 120), **hints), call(2, OPENAI, (10, 110))) == {(1, 2)}
    assert pairs(call(1, LANGCHAIN, (0, 120)), call(2, OPENAI, (10, 110), **hints)) == {(1, 2)}
    same = (("id", "mine"),)
    assert pairs(call(1, LANGCHAIN, (0, 120), values=same), call(2, OPENAI, (10, 110), values=same)) == {(1, 2)}


def test_the_requested_model_fits_too() -> None:
    """An alias of the request and the dated name of the response are compared crosswise."""
    spans = (
        call(1, LANGCHAIN, (0, 120), model="my-alias"),
        call(2, OPENAI, (10, 110), model="gpt-4o-2024-08-06", request_model="my-alias"),
    )
    assert pairs(*spans) == {(1, 2)}


@pytest.mark.parametrize(("overhang", "same"), [(TOLERANCE_NS, True), (TOLERANCE_NS + 1, False)])
def test_two_tracers_do_not_take_their_times_at_once(overhang: int, same: bool) -> None:
    """The inner call may stick out by the tolerance at either end."""
    outer = call(1, LANGCHAIN, (0, 1000))
    early = call(2, OPENAI)._replace(start=outer.start - overhang, end=outer.end - 100 * MS)
    late = call(2, OPENAI)._replace(start=outer.start + 100 * MS, end=outer.end + overhang)
    for inner in (early, late):
        assert bool(pairs(outer, inner)) is same


def test_the_same_interval() -> None:
    """Of two calls with exactly one interval the one with the higher id is kept; either would do."""
    assert pairs(call(1, LANGCHAIN), call(2, OPENAI)) == {(1, 2)}


def test_failed_calls_without_usage() -> None:
    """Two spans of one failed call match without any number."""
    spans = (call(1, LANGCHAIN, (0, 120), None, failed=True), call(2, OPENAI, (10, 110), None, failed=True))
    assert pairs(*spans) == {(1, 2)}


def test_identical_calls_in_parallel_pair_one_to_one() -> None:
    """Two equal calls at once are two, whether both or only one of them was seen twice."""
    outer = [call(1, LANGCHAIN, (0, 120)), call(2, LANGCHAIN, (2, 122))]
    inner = [call(3, OPENAI, (10, 110)), call(4, OPENAI, (12, 112))]
    assert {dropped for dropped, _ in pairs(*outer, *inner)} == {1, 2}
    assert len({kept for _, kept in pairs(*outer, *inner)}) == 2
    assert len(pairs(*outer, inner[0])) == 1


def test_three_scopes() -> None:
    """Three instrumentations and more report one call, with an id in common or without."""
    spans = (
        call(1, "a", (0, 130), response_id="r1"),
        call(2, "b", (5, 125), response_id="r1"),
        call(3, "c", (10, 120)),
    )
    assert pairs(*spans) == {(1, 2), (2, 3)}
    assert pairs(*(call(i, "abcd"[i], (i, 130 - i)) for i in range(4))) == {(0, 3), (1, 3), (2, 3)}


def test_two_equal_calls_in_three_scopes() -> None:
    """Each of two parallel calls keeps one span, however many instrumentations saw both."""
    spans = [call(10 * n + i, "abc"[i], (n + i, 130 + n - i)) for n in range(2) for i in range(3)]
    assert len(pairs(*spans)) == 4


def test_a_copy_without_usage() -> None:
    """A span without usage is a copy of the call beside it if both name the same model."""
    silent = call(1, LANGCHAIN, (0, 120), None, model="gpt-4o")
    assert pairs(silent, call(2, OPENAI, (10, 110), model="gpt-4o-2024-08-06")) == {(1, 2)}
    assert pairs(silent, call(2, OPENAI, (10, 110), None, model="gpt-4o")) == {(1, 2)}
    assert pairs(silent, call(2, OPENAI, (10, 110))) == set()


def test_copies_that_differ_by_the_thinking() -> None:
    """An output that leaves the thinking out is that of the copy that has it."""
    whole = call(1, LANGCHAIN, (0, 120))._replace(call=Call(Usage(10, 67, reasoning_tokens=40)))
    assert pairs(whole, call(2, OPENAI, (10, 110), (10, 27))) == {(1, 2)}
    assert pairs(whole, call(2, OPENAI, (10, 110), (10, 28))) == set()


def test_a_worker_full_of_equal_calls() -> None:
    """Many equal calls one after the other, each seen twice, pair up with their own partner."""
    spans: list[SpanFacts] = []
    for i in range(200):
        spans += [
            call(2 * i, LANGCHAIN, (i * 500, i * 500 + 120)),
            call(2 * i + 1, OPENAI, (i * 500 + 10, i * 500 + 110)),
        ]
    assert matched(spans) == {(2 * i, 2 * i + 1) for i in range(200)}


def test_thousands_of_equal_calls_in_parallel_stay_linear() -> None:
    """Four times the calls take about four times the work, not sixteen times."""

    def work(amount: int) -> int:
        spans = [call(i, (LANGCHAIN, OPENAI)[i % 2], (0, 10_000), (None, None)) for i in range(amount)]
        return steps(lambda: matched(spans))

    assert work(2_000) < 5 * work(500)


@st.composite
def calls(draw: st.DrawFn) -> list[SpanFacts]:
    """A few calls that are alike in most ways."""
    found = []
    for span_id in range(draw(st.integers(1, 8))):
        start = draw(st.integers(0, 300))
        found.append(
            call(
                span_id,
                draw(st.sampled_from("abc")),
                (start, start + draw(st.integers(0, 300))),
                draw(st.sampled_from([(1, 1), (1, 2), None])),
                model=draw(st.sampled_from([None, "m", "p/m-2024-01-01", "n"])),
                response_id=draw(st.sampled_from([None, None, "r1", "r2"])),
                call_id=draw(st.sampled_from([None, None, "c1"])),
            )
        )
    return found


@settings(deadline=None)
@given(calls(), st.booleans(), st.randoms())
def test_every_call_is_dropped_at_most_once(spans: Sequence[SpanFacts], fuzzy: bool, random: Any) -> None:
    """No call is dropped twice or in favour of a dropped one, and at least one call stays."""
    dropped: set[int] = set()
    for loser, winner in match_cousins(spans, members_of({span.span_id: span for span in spans}), fuzzy=fuzzy):
        assert loser != winner
        assert not {loser, winner} & dropped
        dropped.add(loser)
    assert len(dropped) < len(spans)
    shuffled = list(spans)
    random.shuffle(shuffled)
    assert matched(shuffled, fuzzy=fuzzy) == matched(spans, fuzzy=fuzzy)

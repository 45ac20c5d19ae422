"""`fold` and `SessionSum`: from trace groups to a session."""

from __future__ import annotations

import itertools
import json
import random
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.counting.building import AT

from otel_sessions.counting.cache_use import CacheUse
from otel_sessions.counting.fold import IDLE_GAP_NS, MODELS_KEPT, OTHER_MODELS, SET_KEPT, SPELLS_KEPT, SessionSum, fold
from otel_sessions.counting.model_names import Model
from otel_sessions.counting.prices.pricer import Cost
from otel_sessions.counting.session import ModelRollup, SessionRollup
from otel_sessions.counting.time_spent import TimeSpent
from otel_sessions.counting.tokens import Usage
from otel_sessions.counting.totals import Totals
from otel_sessions.counting.trace import TraceGroup
from otel_sessions.timestamps import format_time

SECOND = 10**9

FIELDS_OF_THE_CONTRACT = """
id, key, name, title, start, end, duration_ms, active_ms, status, environments, services, user_ids, operations, trace_count,
failed_trace_count, failure_rate, span_count, call_count, unpriced_call_count, input_tokens, output_tokens,
cache_read_tokens, cache_write_tokens, reasoning_tokens, total_tokens, input_cost, output_cost, total_cost, latency_ms,
models, lanes, tags, metadata, first_input, last_output, scores, annotation_count, dropped, conflicts, time, cache
""".replace("\n", " ")


def group(number: int = 0, **more: Any) -> TraceGroup:
    """A trace group of one second, a minute after the one before."""
    start = AT + number * 60 * SECOND
    given: dict[str, Any] = {
        "start": start,
        "end": start + SECOND,
        "span_count": 1,
        "failed": False,
        "operations": frozenset({"handle"}),
        "models": {},
        "services": frozenset(),
        "environments": frozenset(),
        "user_ids": frozenset(),
        "tags": frozenset(),
        "name": None,
        "metadata": {},
    }
    return TraceGroup("id", "s1", number, **{**given, **more})


def used(provider: str | None, model: str | None, usage: Usage | None, cost: str | None = None) -> dict[Model, Totals]:
    """One call of a model."""
    totals = Totals()
    amount = None if cost is None else Decimal(cost)
    totals.add_call(usage, None if amount is None else Cost(amount, Decimal(0), amount, "list"))
    return {(provider, model): totals}


def folded(*groups: TraceGroup) -> SessionRollup:
    """The session of these groups, in whatever order they come."""
    rollup = fold("id", "s1", groups)
    for order in itertools.islice(itertools.permutations(groups), 24):
        assert repr(fold("id", "s1", order)) == repr(rollup)
    return rollup


def test_a_session_of_nothing() -> None:
    """A session without traces has unknown numbers, and nothing is divided by 0."""
    rollup = fold("id", "s1", [])
    assert (rollup.trace_count, rollup.failure_rate, rollup.latency_ms, rollup.status) == (0, 0.0, 0.0, "unknown")
    assert (rollup.total_tokens, rollup.total_cost, rollup.models) == (None, None, ())


def test_no_key_is_the_default_key() -> None:
    """The whole of a trace, which has no key, folds under `id`."""
    assert fold("", "s1", []).key == "id"
    assert fold("ticket", "s1", []).key == "ticket"


def test_times() -> None:
    """A session lasts from the first start to the last end, has the mean of its traces' lengths, and is active in pauses up to five minutes."""
    first = group(0, start=AT, end=AT + 2 * SECOND)
    soon = group(1, start=AT + 2 * SECOND + IDLE_GAP_NS, end=AT + 4 * SECOND + IDLE_GAP_NS)
    rollup = folded(first, soon)
    assert (rollup.start, rollup.end) == (AT, soon.end)
    assert rollup.duration_ms == rollup.active_ms == 304_000.0
    assert rollup.latency_ms == 2_000.0
    late = group(2, start=soon.end + IDLE_GAP_NS + 1, end=soon.end + IDLE_GAP_NS + 1 + SECOND)
    rollup = folded(first, soon, late)
    assert rollup.active_ms == 305_000.0
    assert rollup.duration_ms == pytest.approx(605_000.000001)
    assert rollup.latency_ms == pytest.approx(5_000 / 3)


def test_traces_at_once_are_active_once() -> None:
    """Overlapping, contained and bridging traces do not add up."""
    rollup = folded(
        group(0, start=AT, end=AT + 10 * SECOND),
        group(1, start=AT + 2 * SECOND, end=AT + 4 * SECOND),
        group(2, start=AT + 5 * SECOND, end=AT + 12 * SECOND),
    )
    assert (rollup.active_ms, rollup.latency_ms) == (12_000.0, 19_000 / 3)
    hour = 3600 * SECOND
    apart = [group(i, start=AT + i * hour, end=AT + i * hour + SECOND) for i in range(3)]
    assert folded(*apart).active_ms == 3_000.0
    assert folded(*apart, group(9, start=AT, end=AT + 2 * hour)).active_ms == (2 * hour + SECOND) / 1e6


def test_outcome() -> None:
    """A session failed if one of its traces did."""
    rollup = folded(group(0), group(1, failed=True), group(2), group(3, failed=True, conflict=True))
    assert (rollup.status, rollup.trace_count, rollup.failed_trace_count) == ("failed", 4, 2)
    assert (rollup.failure_rate, rollup.conflicts, rollup.span_count) == (0.5, 1, 4)
    assert (folded(group(0)).status, folded(group(0)).failure_rate) == ("ok", 0.0)


def test_labels() -> None:
    """Sets are united and sorted, the last name and the last value of each metadata name win."""
    rollup = folded(
        group(0, name=(5, "old"), metadata={"a": (5, 1), "b": (5, "x")}, tags=frozenset({"b", "a"})),
        group(1, name=(9, "new"), metadata={"a": (9, True)}, tags=frozenset({"c"}), user_ids=frozenset({"u2"})),
        group(2, user_ids=frozenset({"u1"}), services=frozenset({"w"}), environments=frozenset({"test"})),
    )
    assert (rollup.name, rollup.metadata, rollup.tags) == ("new", {"a": True, "b": "x"}, ("a", "b", "c"))
    assert (rollup.user_ids, rollup.services, rollup.environments) == (("u1", "u2"), ("w",), ("test",))
    assert (rollup.operations, rollup.scores, rollup.dropped) == (("handle",), {}, {})


def test_models() -> None:
    """A session has numbers by model in the order of names, and their sum is the session's."""
    rollup = folded(
        group(0, models=used("p", "m", Usage(10, 2, 4, 1, 1), "0.1")),
        group(1, models={**used("p", "m", Usage(1), "0.2"), **used(None, None, None), **used("o", "m", Usage(5))}),
        group(2, models=used("p", "a", Usage(None, 3))),
    )
    assert [(one.provider, one.model, one.call_count) for one in rollup.models] == [
        (None, None, 1),
        ("p", "a", 1),
        ("o", "m", 1),
        ("p", "m", 2),
    ]
    last = rollup.models[-1]
    assert (last.input_tokens, last.output_tokens, last.cache_read_tokens, last.total_tokens) == (11, 2, 4, 13)
    assert (last.total_cost, last.unpriced_call_count, last.cost_sources) == (Decimal("0.3"), 0, ("list",))
    assert (rollup.models[0].input_tokens, rollup.models[0].total_cost) == (None, None)
    assert (rollup.input_tokens, rollup.output_tokens, rollup.call_count, rollup.unpriced_call_count) == (16, 5, 5, 3)
    assert (rollup.total_tokens, rollup.total_cost, rollup.cost_sources) == (21, Decimal("0.3"), ("list",))


def test_money_is_exact() -> None:
    """Ten thousand costs add up to the last digit in an app whose decimal context has three digits."""
    session = SessionSum("id", "s1")
    with localcontext() as context:
        context.prec = 3
        for number in range(10_000):
            session.add(group(number, models=used("p", "m", Usage(1), "0.0010000001")))
        rollup = session.rollup()
    assert rollup.total_cost == Decimal("10.000001")
    assert rollup.to_dict()["total_cost"] == "10.000001"


def test_a_copy_is_independent() -> None:
    """Adding to a copy leaves the original as it was, and the other way round."""
    many = {f"m{i}": (1, i) for i in range(SET_KEPT + 1)}
    session = SessionSum("id", "s1")
    session.add(group(0, models=used("p", "m", Usage(1)), metadata={"a": (1, 1)}))
    session.late_span_count = 2
    before = session.rollup()
    copied = session.copy()
    assert copied.rollup() == before
    copied.add(group(1, models=used("p", "m", Usage(5)), metadata=many, tags=frozenset({"t"})))
    assert session.rollup() == before
    assert copied.rollup().input_tokens == 6
    again = copied.copy()
    again.add(group(2, metadata={"never seen": (1, 1)}))
    assert again.rollup().dropped["metadata"] == copied.rollup().dropped["metadata"] + 1


def test_late_spans_and_drops_are_shown() -> None:
    """A session shows how much is not in its numbers."""
    session = SessionSum("id", "s1")
    session.add(group(0, operations=frozenset(f"o{i:05}" for i in range(SET_KEPT + 2))))
    session.late_span_count = 3
    rollup = session.rollup()
    assert rollup.late_span_count == 3
    assert rollup.dropped == {"operations": 2, "late_spans": 3}


@pytest.mark.parametrize("field", ["operations", "services", "environments", "user_ids", "tags"])
def test_sets_are_bounded(field: str) -> None:
    """Names beyond the bound are left out and counted."""
    groups = [group(i, **{field: frozenset({f"{i * 300 + j:05}" for j in range(300)})}) for i in range(4)]
    rollup = fold("id", "s1", groups)
    assert len(getattr(rollup, field)) == SET_KEPT
    assert rollup.dropped == {field: 4 * 300 - SET_KEPT}
    assert getattr(fold("id", "s1", reversed(groups)), field) == getattr(rollup, field)


def test_metadata_is_bounded() -> None:
    """New names beyond the bound are left out and counted; known ones are still brought up to date."""
    session = SessionSum("id", "s1")
    session.add(group(0, metadata={f"m{i:05}": (1, i) for i in range(SET_KEPT)}))
    session.add(group(1, metadata={"new": (2, "x"), "m00000": (2, "late")}))
    rollup = session.rollup()
    assert len(rollup.metadata) == SET_KEPT
    assert (rollup.metadata["m00000"], rollup.dropped) == ("late", {"metadata": 1})


def test_models_are_bounded() -> None:
    """Models beyond the bound are added up under one name, and no token is lost."""
    groups = [group(i, models=used("p", f"m{i:04}", Usage(1), "0.5")) for i in range(MODELS_KEPT + 5)]
    rollup = fold("id", "s1", groups)
    assert len(rollup.models) == MODELS_KEPT + 1
    (rest,) = [one for one in rollup.models if (one.provider, one.model) == (None, OTHER_MODELS)]
    assert (rest.call_count, rest.total_cost) == (5, Decimal("2.5"))
    assert (rollup.call_count, rollup.input_tokens) == (MODELS_KEPT + 5, MODELS_KEPT + 5)
    assert rollup.dropped == {"models": 5}


def test_pauses_are_bounded() -> None:
    """The shortest of very many pauses count as active time."""
    hour = 3600 * SECOND
    groups = [group(i, start=AT + i * hour, end=AT + i * hour + SECOND) for i in range(SPELLS_KEPT)]
    short = group(9_999, start=AT - 1800 * SECOND, end=AT - 1800 * SECOND + SECOND)
    rollup = fold("id", "s1", [*groups, short])
    assert rollup.active_ms == (SPELLS_KEPT + 1800) * 1_000.0
    assert rollup.dropped == {"pauses": 1}


@pytest.mark.parametrize("field", ["metadata", "models", "tags"])
def test_order_changes_nothing_beyond_the_bounds(field: str) -> None:
    """A fold of more names than are kept is the same in any order of its groups."""
    made: dict[str, Any] = {
        "metadata": lambda i: {f"m{i * 600 + j}": (i, 1) for j in range(600)},
        "models": lambda i: {
            model: one for j in range(60) for model, one in used("p", f"m{i * 60 + j}", Usage(1)).items()
        },
        "tags": lambda i: frozenset(f"t{min(i, 1)}{j}" for j in range(600)),
    }
    groups = [group(i, **{field: made[field](i)}) for i in range(3)]
    assert fold("id", "s1", groups) == fold("id", "s1", reversed(groups))


def test_to_dict_has_the_fields_of_the_contract() -> None:
    """The dict has every field that the contract lists, and a few that are documented beside it."""
    shown = fold("id", "s1", [group(0)]).to_dict()
    contract = {field.strip() for field in FIELDS_OF_THE_CONTRACT.split(",")}
    assert set(shown) == contract | {"cost_exact", "cost_sources", "late_span_count", "previous_id"}
    documented = SessionRollup.__doc__ or ""
    assert "cost_sources:" in documented
    assert "late_span_count:" in documented


def cached(number: int, read: int, written: int) -> CacheUse:
    """A call, at the start of the trace group of this number, that tells of its cache."""
    start, penalty = AT + number * 60 * SECOND, Decimal("0.0000057500")
    return CacheUse(start, start + 1, None, "anthropic", "claude-opus-4-8", 9_000, read, written, 0, penalty, None)


def test_time_adds_up_and_idle_is_between_traces() -> None:
    """Traces add up what they spent their time on; where two overlap, the session is not idle twice."""
    spent = TimeSpent(model_wait=1_000_000, generation=2_000_000, human=500_000)
    groups = [group(0, time=spent), group(1, time=TimeSpent(tool=3_000_000, other=1)), group(1, time=spent)]
    for order in itertools.permutations(groups):
        session = SessionSum("id", "s1")
        for one in order:
            session.add(one)
        assert session.copy().rollup().time == {
            "model_wait_ms": 2.0,
            "generation_ms": 4.0,
            "tool_ms": 3.0,
            "human_ms": 1.0,
            "other_ms": 0.000001,
            "idle_ms": 59_000.0,
        }


def test_time_that_was_not_stored_is_not_known() -> None:
    """A trace that was stored before the time was told makes the session's unknown, but for the idle time."""
    shown = fold("id", "s1", [group(0), group(1, time=TimeSpent(other=SECOND))]).to_dict()["time"]
    assert shown.pop("idle_ms") == 59_000.0
    assert set(shown.values()) == {None}


def test_pauses_beyond_the_bound_are_not_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of many pauses are left out and counted; the figure stays a lower bound."""
    monkeypatch.setattr("otel_sessions.counting.fold.INTERVALS_KEPT", 3)
    rollup = fold("id", "s1", [group(number) for number in range(10)])
    assert 0 < rollup.time["idle_ms"] < 9 * 59_000  # type: ignore[operator]
    assert rollup.dropped["pauses"] > 0
    overlapping = fold("id", "s1", [group(0, end=AT + number * SECOND) for number in range(1, 10)])
    assert (overlapping.time["idle_ms"], overlapping.dropped) == (0.0, {})


def test_the_cache_bill_of_a_session() -> None:
    """Calls of several traces are one chain, whatever the order of the traces."""
    groups = [
        group(0, cache=(cached(0, 0, 9_000),)),
        group(1, cache=(cached(1, 9_000, 0),)),
        group(22, cache=(cached(22, 0, 9_000),)),
    ]
    for order in itertools.permutations(groups):
        assert fold("id", "s1", order).to_dict()["cache"] == {
            "rebuilt_count": 1,
            "rebuilt_tokens": 9_000,
            "rebuilt_cost": "0.05175",
            "cost_exact": True,
            "by_reason": {"expired": {"count": 1, "tokens": 9_000, "cost": "0.05175"}},
            "cheaper_ttl": None,
        }


def test_calls_that_tell_of_a_cache_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls beyond the bound are left out of the bill, and counted."""
    monkeypatch.setattr("otel_sessions.counting.fold.CACHE_USES_KEPT", 2)
    rollup = fold("id", "s1", [group(22 * number, cache=(cached(22 * number, 0, 9_000),)) for number in range(5)])
    assert (rollup.cache["rebuilt_count"], rollup.dropped) == (1, {"cache": 3})


def test_to_dict_is_json() -> None:
    """The dict can be written as JSON: times are RFC 3339 in UTC, money decimal strings, sets lists."""
    rollup = fold(
        "ticket",
        "t 1",
        [group(0, models=used("p", "m", Usage(10, 2), "0.10"), tags=frozenset({"b", "a"}), metadata={"n": (1, 2.5)})],
    )
    shown = rollup.to_dict()
    assert json.loads(json.dumps(shown)) == shown
    assert shown["start"] == format_time(AT)
    assert datetime.fromisoformat(shown["end"]).timestamp() == AT / SECOND + 1
    assert (shown["id"], shown["key"], shown["tags"], shown["metadata"]) == ("t 1", "ticket", ["a", "b"], {"n": 2.5})
    assert (shown["total_cost"], shown["output_cost"], shown["name"]) == ("0.1", "0", None)
    (model,) = shown["models"]
    assert set(model) == set(ModelRollup.__dataclass_fields__)
    assert (model["model"], model["total_cost"], model["cost_sources"]) == ("m", "0.1", ["list"])
    assert rollup.models[0].to_dict() == model
    assert fold("id", "s1", [group(0)]).to_dict()["total_cost"] is None


@pytest.mark.parametrize(
    ("nanoseconds", "written"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_795_000_000_000_000_000, "2026-11-18T11:06:40.000Z"),
        (1_795_000_000_120_000_000, "2026-11-18T11:06:40.120Z"),
        (1_795_000_000_123_456_789, "2026-11-18T11:06:40.123456789Z"),
        (1_795_000_000_000_000_100, "2026-11-18T11:06:40.0000001Z"),
        (2**64 - 1, "2554-07-21T23:34:33.709551615Z"),
        (10**30, "9999-12-31T23:59:59.000Z"),
    ],
)
def test_times_are_written_whole(nanoseconds: int, written: str) -> None:
    """Times keep every nanosecond and always show milliseconds, and a time beyond all calendars is the last one."""
    assert format_time(nanoseconds) == written


@st.composite
def groups(draw: st.DrawFn) -> TraceGroup:
    """Any trace group, within all bounds."""
    start = AT + draw(st.integers(0, 40)) * 100 * SECOND
    models: dict[Model, Totals] = {}
    for name in draw(st.lists(st.sampled_from("abc"), max_size=3, unique=True)):
        usage = draw(st.none() | st.builds(Usage, st.none() | st.integers(0, 9), st.none() | st.integers(0, 9)))
        models |= used("p", name, usage, draw(st.sampled_from([None, "0.1", "0.25"])))
    return group(
        draw(st.integers(0, 99)),
        start=start,
        end=start + draw(st.integers(0, 400)) * SECOND,
        span_count=draw(st.integers(1, 5)),
        failed=draw(st.booleans()),
        conflict=draw(st.booleans()),
        models=models,
        operations=draw(st.frozensets(st.sampled_from("xyz"))),
        tags=draw(st.frozensets(st.sampled_from("xyz"))),
        name=draw(st.none() | st.tuples(st.integers(0, 2), st.sampled_from("xyz"))),
        metadata=draw(
            st.dictionaries(
                st.sampled_from("xy"), st.tuples(st.integers(0, 2), st.sampled_from([1, True, 1.0, "1"])), max_size=2
            )
        ),
    )


@settings(max_examples=100, deadline=None)
@given(st.lists(groups(), max_size=8), st.integers(0, 8), st.randoms())
def test_order_changes_nothing(given_groups: list[TraceGroup], cut: int, order: random.Random) -> None:
    """The session is the same down to the last type in any order of traces, and with a copy halfway."""
    rollup = fold("id", "s1", given_groups)
    order.shuffle(given_groups)
    session = SessionSum("id", "s1")
    for one in given_groups[:cut]:
        session.add(one)
    session.rollup()
    session = session.copy()
    for one in given_groups[cut:]:
        session.add(one)
    assert repr(session.rollup()) == repr(rollup)
    assert rollup.trace_count == len(given_groups)
    assert 0 <= rollup.active_ms <= rollup.duration_ms
    assert rollup.call_count == sum(one.call_count for one in rollup.models)

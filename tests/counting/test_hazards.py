"""Every known way in which token sums go wrong within one trace, with the true number."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.counting import shapes_of_copies, shapes_of_sums
from tests.counting.building import TRACE, Told, rolled_up, spans_of, tokens, told, totals
from tests.counting.writers import OI_OPENAI, OPENAI_V2, Shape, gen_ai, oi

from otel_sessions.counting.calls import Skipped
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.fold import fold
from otel_sessions.counting.reading import span_facts
from otel_sessions.counting.session import SessionRollup
from otel_sessions.counting.tokens import Usage
from otel_sessions.counting.trace import roll_up
from otel_sessions.rollups import RollupLimits, Rollups

SHAPES = {**shapes_of_sums.SHAPES, **shapes_of_copies.SHAPES}

RECORDINGS = Path(__file__).parent / "recordings"


def agent(input_: int | None = None, *below: Told) -> Told:
    """An agent's span."""
    return told("app", oi("AGENT", input_), *below)


def model(input_: int, *below: Told) -> Told:
    """A model call."""
    return told(OI_OPENAI, oi("LLM", input_, model="gpt-4o"), *below)


def tool(input_: int | None, *below: Told) -> Told:
    """A tool call."""
    return told("app", oi("TOOL", input_), *below)


REPORTED: dict[str, tuple[tuple[Told, ...], int]] = {
    "agent > tool > model, all repeat 100": ((agent(100, tool(100, model(100))),), 100),
    "root agent = four chats": ((agent(29899, model(7000), model(8000), model(6899), model(8000)),), 29899),
    "LLM inside LLM, 580 + 580": ((model(580, model(580)),), 580),
    "only the wrapper reports": ((told("app", oi("CHAIN", 700), told("app", oi("LLM"))),), 700),
    "only the wrapper reports, no span kind": (
        (told("app", {"gen_ai.usage.input_tokens": 700}, told("app"), told("app")),),
        700,
    ),
    "LLM span whose tool makes its own LLM call": ((model(1000, tool(None, model(300))),), 1300),
    "root carries a running total of the session": ((agent(5000, model(400)),), 400),
    "parent lost, two orphan calls": ((model(10), model(20)), 30),
}
"""Shapes that users reported of other systems, with the input tokens that are true."""


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_hazards(shape: Shape) -> None:
    """The counted tokens of every hazard are the billed ones."""
    assert tokens(*shape.roots) == (shape.input_tokens, shape.output_tokens, shape.call_count)


@pytest.mark.parametrize(("roots", "truth"), REPORTED.values(), ids=REPORTED)
def test_shapes_that_users_reported(roots: tuple[Told, ...], truth: int) -> None:
    """Each shape that was counted wrong elsewhere is counted right."""
    assert tokens(*roots)[0] == truth


def test_a_wrapper_over_a_call_that_nobody_instrumented() -> None:
    """Of an agent that reports 1000 over one visible call of 300, the documented limit is that 300 is counted.

    The difference may as well be a running total, or a total that counts twice, so it is shown by the span that is not
    counted and never added: too little here is what keeps the other shapes from being too much.
    """
    rollup = roll_up(TRACE, spans_of(agent(1000, model(300))), explain=True)
    assert rollup is not None
    assert totals(rollup.whole).input_tokens == 300
    assert rollup.skipped == {1: Skipped("covered_by_children", residual=Usage(700, 0))}


def session_of(spans: list[SpanFacts], order: random.Random) -> SessionRollup | None:
    """The session of these spans, in a random order and random batches among those of another trace."""
    rollups = Rollups(limits=RollupLimits(idle_seconds=1e9))
    mixed = [(TRACE, one) for one in spans] + [(TRACE, one) for one in order.choices(spans, k=3)]
    mixed += [(TRACE + 1, one._replace(values=(("id", "other"),))) for one in spans]
    order.shuffle(mixed)
    while mixed:
        size = order.randint(1, 4)
        rollups.add(mixed[:size])
        mixed = mixed[size:]
        if order.random() < 0.3:
            rollups.session("s1", "id")
        if order.random() < 0.3:
            rollups.close_all()
    return rollups.session("s1", "id")


EVERYTHING = {name: shape.roots for name, shape in SHAPES.items()}
EVERYTHING |= {name: roots for name, (roots, _) in REPORTED.items()}


@pytest.mark.parametrize("roots", EVERYTHING.values(), ids=EVERYTHING)
def test_arrival_changes_nothing(roots: tuple[Told, ...]) -> None:
    """The session is that of the whole trace, in any order and split of batches, with retries."""
    spans = [one._replace(values=(("id", "s1"),)) for one in spans_of(*roots)]
    whole = roll_up(TRACE, spans)
    assert whole is not None
    expected = fold("id", "s1", whole.groups)
    for seed in range(12):
        assert session_of(spans, random.Random(seed)) == expected


@pytest.mark.parametrize("roots", EVERYTHING.values(), ids=EVERYTHING)
def test_delivered_twice(roots: tuple[Told, ...]) -> None:
    """Hazard l: an exporter's retry, or a collector beside the process, adds nothing."""
    spans = spans_of(*roots)
    assert roll_up(TRACE, [*spans, *spans]) == roll_up(TRACE, spans)


def test_a_placeholder_and_its_span() -> None:
    """Hazard l: a pending span under the id of the final one is replaced by it."""
    (final,) = spans_of(told("logfire.openai", gen_ai("chat", 70, 8)))
    (pending,) = spans_of(told("logfire.openai", {**gen_ai("chat", 70, 0), "logfire.span_type": "pending_span"}))
    for order in ([pending, final], [final, pending]):
        rollup = roll_up(TRACE, order)
        assert rollup is not None
        assert (totals(rollup.whole).output_tokens, rollup.whole.span_count) == (8, 1)


def test_a_gateway_knows_the_cost() -> None:
    """The provider's span is counted with the cost that only the gateway around it reported."""
    whole = rolled_up(*SHAPES["c: LiteLLM proxy, its request, the raw request and the provider's SDK"].roots).whole
    assert totals(whole).total_cost == Decimal("0.5")
    assert totals(whole).sources == {"reported:litellm.cost.total"}


def test_a_cache_hit_is_told() -> None:
    """Tokens from the cache are not billed, and the rollup says which span they are on."""
    rollup = rolled_up(*SHAPES["i: LiteLLM, a hit in its cache"].roots)
    assert rollup.skipped == {1: Skipped("cache_hit")}


def test_what_both_instrumentations_knew_is_put_together() -> None:
    """The kept span has the model of the one and the cached tokens of the other."""
    whole = rolled_up(
        told(
            OPENAI_V2,
            gen_ai("chat", 70, 8, model="gpt-4o", provider="openai"),
            told(OI_OPENAI, {**oi("LLM", 70, 8), "llm.token_count.prompt_details.cache_read": 60}),
        )
    ).whole
    ((found, total),) = whole.models.items()
    assert (found, total.cache_read_tokens, total.input_tokens) == (("openai", "gpt-4o"), 60, 70)


def test_equal_calls_at_once_by_two_frameworks() -> None:
    """Two different calls that agree in everything and have no ids are taken for one, which is a documented risk.

    Other scopes, the same tokens, one within the other's time and no id to tell: without the guess they are two.
    """
    roots = (told("a", gen_ai("chat", 70, 8), at=(0, 100)), told("b", gen_ai("chat", 70, 8), at=(10, 90)))
    assert tokens(*roots) == (70, 8, 1)
    assert tokens(*roots, cousins=False) == (140, 16, 2)


def recorded(name: str) -> tuple[list[dict[str, Any]], dict[int, list[SpanFacts]]]:
    """The bill of a provider, and the spans that real instrumentations reported, by trace."""
    recording = json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))
    traces: dict[int, list[SpanFacts]] = {}
    for span in recording["spans"]:
        facts = span_facts(
            span["attributes"],
            span_id=int(span["span_id"], 16),
            parent_id=None if span["parent_id"] is None else int(span["parent_id"], 16),
            **{name: span[name] for name in ("start", "end", "failed", "scope", "name")},
        )
        traces.setdefault(int(span["trace_id"], 16), []).append(facts)
    return recording["bill"], traces


@pytest.mark.parametrize(
    ("name", "sees_parts"),
    [
        ("openai_v2", False),
        ("openai_v2_and_openinference", True),
        ("langchain_openai_v2_and_openinference", True),
    ],
)
def test_recorded_traces_equal_the_bill(name: str, sees_parts: bool) -> None:
    """The sessions of recorded traces, instrumented once to three times, equal the bill, per model too.

    Only one of the instrumentations tells cached and reasoning tokens; where it is missing they are unknown, not 0.
    """
    bill, traces = recorded(name)
    rollups = [roll_up(trace_id, spans) for trace_id, spans in traces.items()]
    session = fold("id", "ticket", [rollup.whole for rollup in rollups if rollup is not None])
    assert session.trace_count == len(traces) == 4
    assert session.failed_trace_count == 1
    assert session.call_count == len(bill)
    assert session.input_tokens == sum(entry["prompt_tokens"] for entry in bill)
    assert session.output_tokens == sum(entry["completion_tokens"] for entry in bill)
    cached, reasoning = (sum(entry[part] for entry in bill) for part in ("cached_tokens", "reasoning_tokens"))
    assert session.cache_read_tokens == (cached if sees_parts else None)
    assert session.reasoning_tokens == (reasoning if sees_parts else None)
    billed: dict[str, int] = {}
    for entry in bill:
        if entry["status"] == 200:
            billed[entry["model"]] = billed.get(entry["model"], 0) + entry["prompt_tokens"]
    found = {one.model: one.input_tokens for one in session.models if one.input_tokens is not None}
    assert found == billed
    # The failed call names the alias that was asked for, which is the same model.
    assert sum(one.call_count for one in session.models) == len(bill)
    assert session.unpriced_call_count == len(bill) - 1

"""The residual of a span that is not counted explains it, and changes no number."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.tokens import Usage
from otel_sessions.counting.trace import roll_up
from otel_sessions.dialects.kinds import AGENT, LLM, OTHER, TOOL


def span(span_id: int, parent: int | None, kind: str, usage: Usage | None = None) -> SpanFacts:
    """A span; with usage it reports that."""
    return SpanFacts(span_id, parent, 0, 9, False, kind, "", "", call=None if usage is None else Call(usage))


def explained(*spans: SpanFacts) -> dict[int, Usage | None]:
    """The residuals of the spans that are not counted."""
    rollup = roll_up(1, spans, explain=True)
    assert rollup is not None
    return {span_id: skipped.residual for span_id, skipped in rollup.skipped.items()}


def test_an_agent_that_reports_more_than_its_calls() -> None:
    """The surplus of an agent over its calls is shown where one call is not instrumented."""
    agent = span(1, None, AGENT, Usage(150, 15))
    assert {1: Usage(50, 5)} == explained(agent, span(2, 1, LLM, Usage(100, 10)))


def test_calls_inside_tools_are_below_as_well() -> None:
    """An agent's total over its own and a sub-agent's calls leaves nothing over, and is negative without them."""
    tree = (
        span(2, 1, LLM, Usage(100, None)),
        span(3, 1, TOOL),
        span(4, 3, AGENT, Usage(200, None)),
        span(5, 4, LLM, Usage(200, 20)),
    )
    assert {1: Usage(0, None), 4: Usage(0, None)} == explained(span(1, None, AGENT, Usage(300, None)), *tree)
    assert {1: Usage(-200, -20), 4: Usage(0, None)} == explained(span(1, None, AGENT, Usage(100, 0)), *tree)


def test_a_silent_call_has_none() -> None:
    """A model call that reports nothing has nothing left over."""
    silent = SpanFacts(2, 1, 0, 9, False, LLM, "", "", call=Call())
    assert {2: None} == explained(span(1, None, LLM, Usage(5, 5)), silent, span(3, 9, OTHER))


@given(parents=st.lists(st.integers(0, 8), max_size=8), tokens=st.lists(st.integers(1, 50), min_size=9, max_size=9))
def test_explaining_changes_no_number(parents: list[int], tokens: list[int]) -> None:
    """Rollups are the same with and without it, whatever the tree."""
    spans = [
        span(index + 1, (parent or None), LLM if tokens[index] % 2 else AGENT, Usage(tokens[index], 1))
        for index, parent in enumerate(parents)
    ]
    plain, shown = roll_up(1, spans), roll_up(1, spans, explain=True)
    assert (plain and plain.groups, plain and plain.whole) == (shown and shown.groups, shown and shown.whole)

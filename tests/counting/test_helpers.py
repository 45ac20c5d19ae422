"""`match_helpers`: spans that are called model calls but only prepare one."""

from __future__ import annotations

from typing import Any

import pytest
from tests.counting.building import AT, MS, fact, rolled_up, told, totals
from tests.counting.writers import oi

from otel_sessions.counting.calls import Skipped
from otel_sessions.counting.facts import Call, SpanFacts
from otel_sessions.counting.helpers import match_helpers
from otel_sessions.counting.tokens import Usage

LLAMA_INDEX = "openinference.instrumentation.llama_index"


def span(span_id: int, at: tuple[int, int], call: Call, **more: Any) -> SpanFacts:
    """A model call below span 9, at a time in ms."""
    given: dict[str, Any] = {"parent_id": 9, "kind": "llm", "scope": LLAMA_INDEX, **more}
    return fact(span_id, start=AT + at[0] * MS, end=AT + at[1] * MS, call=call, **given)


REQUEST = span(2, (165, 1043), Call(Usage(70, 17), "gpt-4o-mini"))


def test_a_method_that_prepares_the_request_is_no_call() -> None:
    """The span without usage and messages just before the request is skipped in its favour."""
    rollup = rolled_up(
        told(
            "app",
            {},
            told(LLAMA_INDEX, oi("LLM", model="gpt-4o-mini"), at=(0, 2)),
            told(LLAMA_INDEX, oi("LLM", 70, 17, "gpt-4o-mini"), at=(3, 900)),
            at=(0, 1000),
        )
    )
    assert totals(rollup.whole).call_count == 1
    assert totals(rollup.whole).unpriced_call_count == 1
    assert rollup.skipped == {2: Skipped("part_of_call", 3)}


@pytest.mark.parametrize(
    "real",
    [
        pytest.param(REQUEST._replace(call=Call(model="gpt-4o-mini", is_request=True)), id="streamed, with messages"),
        pytest.param(REQUEST._replace(call=Call(model="gpt-4o-mini"), failed=True), id="failed"),
        pytest.param(REQUEST._replace(call=Call(Usage(70, 17))), id="model unknown"),
    ],
)
def test_which_requests_have_a_helper(real: SpanFacts) -> None:
    """A request has usage, messages or a failure."""
    helper = span(1, (163, 165), Call(model="gpt-4o-mini"))
    assert list(match_helpers([helper, real])) == [(1, 2)]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(span(1, (163, 165), Call(model="gpt-4o-mini", is_request=True)), id="has messages"),
        pytest.param(span(1, (163, 165), Call(model="gpt-4o")), id="another model"),
        pytest.param(span(1, (100, 110), Call(model="gpt-4o-mini")), id="long before"),
        pytest.param(span(1, (170, 180), Call(model="gpt-4o-mini")), id="while the request runs"),
        pytest.param(span(1, (1050, 1052), Call(model="gpt-4o-mini")), id="after it"),
        pytest.param(span(1, (-800, 165), Call(model="gpt-4o-mini")), id="longer than it"),
        pytest.param(span(1, (163, 165), Call(model="gpt-4o-mini"), parent_id=8), id="below another span"),
        pytest.param(span(1, (163, 165), Call(model="gpt-4o-mini"), scope="app"), id="another instrumentation"),
        pytest.param(span(1, (163, 165), Call(model="gpt-4o-mini"), failed=True), id="failed"),
    ],
)
def test_what_is_no_helper(other: SpanFacts) -> None:
    """Anything that may be a request of its own is kept."""
    assert list(match_helpers([other, REQUEST])) == []

"""No answer exceeds its budget, whatever is stored and asked, and what is cut says so."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.mcp.agents import calls_in
from tests.mcp.asks import NOW
from tests.mcp.synthetic import SPAN, TIME, TRACE, Synthetic

from otel_sessions.mcp.answers import LARGEST_BUDGET, SMALLEST_BUDGET, STORED
from otel_sessions.mcp.catalog import TOOLS, answer
from otel_sessions.mcp.parameters import checked_arguments
from otel_sessions.mcp.parts import PARTS
from otel_sessions.mcp.tools.get_session import PARAMETERS

IDS = st.sampled_from(
    (
        "session:s",
        'session@ticket:"\u202e' + "x" * 190,
        f"turn:{TRACE}:s",
        "turn:0:s",
        f"turn:{TIME}:s",
        f"span:{TRACE}/{SPAN}",
        "message:7:s",
        f"log:{TIME}/0123456789abcdef:s",
        "x" * 512,
    )
)
FIELDS = st.sampled_from(
    (
        None,
        "models",
        "tags",
        "error",
        "parts.0.content",
        "parts",
        "attributes",
        "events.0.name",
        "body",
        "title",
        "nothing",
    )
)
LIMITS = st.integers(1, 100)
CALLS = st.one_of(
    st.tuples(st.just("list_sessions"), st.fixed_dictionaries({"limit": LIMITS, "offset": st.integers(0, 50)})),
    st.tuples(
        st.just("get_session"),
        st.fixed_dictionaries(
            {
                "id": IDS,
                "part": st.sampled_from((None, *PARTS)),
                "sort": st.sampled_from(("start", "duration", "cost", "tokens")),
                "order": st.sampled_from(("asc", "desc")),
                "limit": LIMITS,
                "offset": st.integers(-5, 50),
            }
        ),
    ),
    st.tuples(
        st.just("get_messages"), st.fixed_dictionaries({"id": IDS, "limit": LIMITS, "offset": st.integers(-5, 50)})
    ),
    st.tuples(
        st.just("get_payload"), st.fixed_dictionaries({"id": IDS, "field": FIELDS, "offset": st.integers(0, 900)})
    ),
    st.tuples(
        st.just("search"),
        st.fixed_dictionaries(
            {"query": st.sampled_from(("words", "\u202e", "x" * 900)), "id": st.none() | IDS, "limit": LIMITS}
        ),
    ),
)
BUDGETS = st.sampled_from((SMALLEST_BUDGET, 3_000, 8_000, 20_000, LARGEST_BUDGET))
INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(st.integers(0, 10**6), CALLS, BUDGETS)
def test_no_answer_exceeds_its_budget(seed: int, call: tuple[str, Mapping[str, Any]], budget: int) -> None:
    """It is JSON, shows no invisible character, calls itself data, and the calls that it tells are calls of the tools."""
    name, arguments = call
    told = answer(Synthetic(seed), name, {**arguments, "budget": budget}, now=NOW)
    assert len(told.text) <= budget
    assert {one for one in told.text if unicodedata.category(one) in INVISIBLE} <= {"\n"}
    read = json.loads(told.text)
    assert told.is_error or read["stored_text"] == STORED
    for one in calls_in(read):
        checked_arguments(TOOLS[one["tool"]].parameters, one["arguments"])
    if not told.is_error:
        _check_cuts(read)
        if "total" in read and read["shown"] + read.get("offset", 0) < read["total"] and read["shown"]:
            assert read["next"] is not None


def _check_cuts(told: Any) -> None:
    """What is cut has the length of the whole, and the call that reads it."""
    if isinstance(told, list):
        for one in told:
            _check_cuts(one)
    elif isinstance(told, dict):
        if "begins" in told:
            assert told["length"]
            assert told["read"]["tool"] == "get_payload"
        if "first" in told and "count" in told:
            assert told["count"] > len(told["first"])
            assert told["read"]["tool"] in TOOLS
        for one in told.values():
            _check_cuts(one)


@pytest.mark.parametrize("budget", [SMALLEST_BUDGET, 5_000, 20_000, LARGEST_BUDGET])
@pytest.mark.parametrize("text", ["", "a", "é🙂\u202e\x00" * 20_000, "x" * 300_000, '"\\' * 10_000])
def test_a_value_is_read_whole_in_pieces(text: str, budget: int) -> None:
    """Following `next` gives every character of a value once, with any budget."""

    class One(Synthetic):
        def span(self) -> dict[str, Any]:
            return {**super().span(), "attributes": {"a.b": text}}

    arguments: dict[str, Any] = {"id": f"span:{TRACE}/{SPAN}", "field": "attributes.a.b", "budget": budget}
    pieces = []
    while True:
        told = answer(One(1), "get_payload", arguments, now=NOW)
        assert len(told.text) <= budget
        read = json.loads(told.text)
        assert read["length"] == len(text)
        pieces.append(read["value"])
        if read["next"] is None:
            break
        arguments = read["next"]["arguments"]
    assert "".join(pieces) == text


def test_a_schema_says_what_is_checked() -> None:
    """The arguments of a tool are those of its schema."""
    names = [parameter.name for parameter in PARAMETERS]
    assert len(names) == len(set(names))

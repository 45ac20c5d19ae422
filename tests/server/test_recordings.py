"""Requests recorded from real frameworks against models with a ledger give the right sessions."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from otel_sessions import SessionRollup, default_pricer
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.fold import fold
from otel_sessions.counting.ledger import roll_up_units
from otel_sessions.counting.trace import TraceGroup, roll_up
from otel_sessions.server.otlp.decode import read_request
from otel_sessions.server.otlp.encodings import Format
from otel_sessions.server.signals import LOGS, TRACES

RECORDINGS = Path(__file__).parent / "recordings"
PRICER = default_pricer()


def sessions(recording: str) -> dict[str, SessionRollup]:
    """The sessions of one recorded request, by id."""
    body = (RECORDINGS / f"{recording}.json").read_bytes()
    _, batch, rejected = read_request(TRACES, body, Format.JSON)
    assert not rejected.counts
    traces: dict[int, list[SpanFacts]] = {}
    for trace_id, facts in zip(batch.trace_ids, batch.facts, strict=True):
        traces.setdefault(trace_id, []).append(facts)
    groups: dict[str, list[TraceGroup]] = {}
    for trace_id, spans in traces.items():
        rollup = roll_up(trace_id, spans, pricer=PRICER)
        assert rollup is not None
        for group in rollup.groups:
            groups.setdefault(group.value, []).append(group)
    return {value: fold("id", value, found) for value, found in groups.items()}


@pytest.mark.parametrize(
    ("recording", "right"),
    [
        (
            "langchain-three-side-by-side",
            {
                "call_count": 2,
                "input_tokens": 139,
                "output_tokens": 46,
                "cache_read_tokens": 40,
                "total_cost": "0.00004545",
            },
        ),
        (
            "gemini-traceloop-output-without-thoughts",
            {"input_tokens": 135, "output_tokens": 67, "reasoning_tokens": 40, "total_cost": "0.00018991"},
        ),
        (
            "llamaindex-prepare-chat-is-no-call",
            {"call_count": 2, "unpriced_call_count": 0, "input_tokens": 163, "output_tokens": 48},
        ),
        (
            "langfuse-openai-nested-usage-details",
            {
                "input_tokens": 117,
                "cache_read_tokens": 58,
                "output_tokens": 97,
                "reasoning_tokens": 64,
                "total_cost": "0.00050765",
            },
        ),
        (
            "litellm-otel-callback-writes-on-app-span",
            {
                "call_count": 2,
                "input_tokens": 2568,
                "output_tokens": 77,
                "cache_read_tokens": 1200,
                "cache_write_tokens": 1300,
                "total_cost": "0.006594",
            },
        ),
        ("litellm-cost-float-noise", {"total_cost": "0.000045525"}),
        ("pydanticai-google-thoughts-tokens", {"reasoning_tokens": 80}),
        (
            "langgraph-thread-id-overwrites-session",
            {"call_count": 2, "input_tokens": 139, "output_tokens": 46, "total_cost": "0.00004545"},
        ),
        ("celery-failed-job-under-ok-producer", {"trace_count": 1, "failed_trace_count": 1}),
        (
            "openai-failed-call-unpriced-and-without-model",
            {"call_count": 1, "failed_trace_count": 1, "unpriced_call_count": 0, "total_cost": None},
        ),
    ],
)
def test_a_recorded_framework(recording: str, right: dict[str, Any]) -> None:
    """The session that the application named, which is the recording's name, has what the ledger says."""
    session = sessions(recording)[recording]
    expected = {name: Decimal(value) if name == "total_cost" and value else value for name, value in right.items()}
    assert {name: getattr(session, name) for name in right} == expected


def records(recording: str) -> dict[str, SessionRollup]:
    """The sessions of one recorded request of log records, by id."""
    body = (RECORDINGS / f"{recording}.json").read_bytes()
    _, batch, rejected = read_request(LOGS, body, Format.JSON)
    assert not rejected.counts
    units: dict[int, list[SpanFacts]] = {}
    for unit, facts in zip(batch.units, batch.facts, strict=True):
        units.setdefault(unit, []).append(facts)
    groups: dict[str, list[TraceGroup]] = {}
    for rollup in roll_up_units(units, PRICER).values():
        for group in () if rollup is None else rollup.groups:
            groups.setdefault(group.value, []).append(group)
    return {value: fold("id", value, found) for value, found in groups.items()}


def test_claude_code_in_records() -> None:
    """Two calls that were answered and one that failed."""
    ((name, session),) = records("agent-claude-code-logs").items()
    assert name == "cc-session-1"
    assert (session.call_count, session.unpriced_call_count, session.failed_trace_count) == (3, 0, 1)
    assert (session.input_tokens, session.output_tokens) == (100244, 862)
    assert (session.cache_read_tokens, session.cache_write_tokens) == (96420, 3800)
    assert session.total_cost == Decimal("0.056169")


def test_codex_in_records() -> None:
    """One call, whose cached and reasoning tokens are parts of input and output."""
    ((name, session),) = records("agent-codex-logs").items()
    assert name == "cx-session-1"
    assert (session.call_count, session.input_tokens, session.cache_read_tokens) == (1, 18250, 17408)
    assert (session.output_tokens, session.reasoning_tokens, session.total_cost) == (512, 320, Decimal("0.0083485"))


def test_qwen_starts_a_session_in_records() -> None:
    """A session that was only announced is one, without calls."""
    ((name, session),) = records("agent-qwen-session-start-log").items()
    assert (name, session.call_count, session.input_tokens, session.total_cost) == ("qw-session-2", 0, None, None)


def test_codex() -> None:
    """The thread is the session, the model is the turn's, and the response below it is the call."""
    ((thread, session),) = sessions("agent-codex-spans").items()
    assert thread == "cxspan-session-1"
    assert (session.call_count, session.input_tokens, session.cache_read_tokens) == (1, 18250, 17408)
    assert (session.output_tokens, session.reasoning_tokens, session.total_cost) == (512, 320, Decimal("0.0083485"))
    assert [model.model for model in session.models] == ["gpt-5-codex"]

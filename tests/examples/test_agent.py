"""Traces of the real instrumentations roll up to exactly what the local server handed out."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import openai
import pytest
from examples.agent import CHAT_MODEL, TICKETS, SupportAgent, Ticket, converse
from examples.demo import differences
from examples.instrumentation import instrumented
from examples.langchain_agent import LangChainAgent
from examples.openai_ledger import Handed
from examples.openai_prices import cost
from examples.openai_server import FAIL_MARK, SESSION_HEADER, OpenAIServer
from langchain_openai import ChatOpenAI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from pydantic import SecretStr

from otel_sessions import SessionExporter, SessionSpanProcessor, propagate_sessions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_sessions import SessionRollup

V2, OPENINFERENCE, LANGCHAIN = "openai-v2", "openinference", "langchain"
SAME: Any = [{"role": "user", "content": "the very same question"}]


class Setup:
    """The server, and a provider whose exporter rolls up."""

    def __init__(self, server: OpenAIServer) -> None:
        self.server = server
        self.exporter = SessionExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SessionSpanProcessor())
        self.provider.add_span_processor(BatchSpanProcessor(self.exporter))
        self.tracer = self.provider.get_tracer("tests")

    def work(self, kind: type[SupportAgent | LangChainAgent], ticket: Ticket) -> list[str]:
        """One conversation."""
        return converse(kind(self.tracer, self.server.base_url, ticket.session_id), ticket)

    def rollup(self, session: str) -> SessionRollup:
        """The session once every span is exported."""
        self.provider.force_flush()
        rollup = self.exporter.session(session)
        assert rollup is not None
        return rollup


@pytest.fixture
def setup() -> Iterator[Setup]:
    """A server and a provider for one test."""
    with OpenAIServer() as server:
        setup = Setup(server)
        yield setup
        setup.provider.shutdown()


def assert_equals_bill(setup: Setup, session: str, *, details: bool = True) -> SessionRollup:
    """Tokens, calls and cost of a session, as a whole and by model, are those of the ledger.

    Without `details` the instrumentation reports no cached and no reasoning tokens: they are unknown, and the cost
    takes every input token for a fresh one.
    """
    rollup = setup.rollup(session)
    entries = setup.server.ledger.entries(session)
    bill = setup.server.ledger.bill(session)
    assert rollup.input_tokens == bill.prompt_tokens
    assert rollup.output_tokens == bill.completion_tokens
    assert rollup.total_tokens == bill.prompt_tokens + bill.completion_tokens
    assert rollup.cache_read_tokens == (bill.cached_tokens if details else None)
    assert rollup.reasoning_tokens == (bill.reasoning_tokens if details else None)
    assert rollup.total_cost == cost(entries, cached=details)
    # A request that failed is a call that is not billed.
    assert rollup.call_count == bill.calls + bill.failures
    assert rollup.unpriced_call_count == 0
    by_model = setup.server.ledger.by_model(session)
    # A failed request names the alias that was asked for, which is the same model; embeddings have no output.
    counted = {model.model or "": model for model in rollup.models if model.input_tokens is not None}
    assert set(counted) == set(by_model)
    for name, model in counted.items():
        assert model.call_count == by_model[name].calls + by_model[name].failures
        assert model.input_tokens == by_model[name].prompt_tokens
        assert (model.output_tokens or 0) == by_model[name].completion_tokens
        assert model.total_cost == cost((entry for entry in entries if entry.model == name), cached=details)
    return rollup


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (SupportAgent, [V2]),
        (SupportAgent, [OPENINFERENCE]),
        (SupportAgent, [V2, OPENINFERENCE]),
        (SupportAgent, [OPENINFERENCE, V2]),
        (LangChainAgent, [V2]),
        (LangChainAgent, [LANGCHAIN, OPENINFERENCE]),
        (LangChainAgent, [LANGCHAIN, V2]),
        (LangChainAgent, [LANGCHAIN, V2, OPENINFERENCE]),
    ],
)
def test_sessions_equal_the_bill(setup: Setup, kind: type[SupportAgent | LangChainAgent], names: list[str]) -> None:
    """Three tickets, one with a failure, equal the bill however often each call is instrumented."""
    with instrumented(names, setup.provider):
        for ticket in TICKETS:
            setup.work(kind, ticket)

    for ticket in TICKETS:
        failures = sum(FAIL_MARK in question for question in ticket.questions)
        rollup = assert_equals_bill(setup, ticket.session_id, details=names != [V2])
        assert rollup.trace_count == len(ticket.questions) + 1
        assert rollup.failed_trace_count == failures
        assert list(rollup.user_ids) == [ticket.user_id]
        assert rollup.name == ticket.name
        assert list(rollup.tags) == sorted(ticket.tags)


def test_langchain_alone_does_not_see_embeddings(setup: Setup) -> None:
    """LangChain's instrumentation has no span for embeddings, and everything else is counted."""
    with instrumented([LANGCHAIN], setup.provider):
        setup.work(LangChainAgent, TICKETS[0])

    entries = [entry for entry in setup.server.ledger.entries() if entry.operation == "chat"]
    rollup = setup.rollup(TICKETS[0].session_id)
    assert rollup.input_tokens == sum(entry.prompt_tokens for entry in entries)
    assert rollup.cache_read_tokens == sum(entry.cached_tokens for entry in entries)
    assert rollup.total_cost == cost(entries)


def test_without_instrumentation_the_agents_own_sum_counts(setup: Setup) -> None:
    """The usage on the agent span is the session's if no other span reports any."""
    setup.work(SupportAgent, TICKETS[0])

    entries = [entry for entry in setup.server.ledger.entries() if entry.operation == "chat"]
    rollup = setup.rollup(TICKETS[0].session_id)
    assert rollup.input_tokens == sum(entry.prompt_tokens for entry in entries)
    assert rollup.output_tokens == sum(entry.completion_tokens for entry in entries)


@pytest.mark.parametrize("names", [[V2], [OPENINFERENCE], [V2, OPENINFERENCE]])
def test_equal_calls_in_threads_of_one_trace_all_count(setup: Setup, names: list[str]) -> None:
    """Eight equal calls at the same time under one span count as eight, not one and not sixteen."""
    with instrumented(names, setup.provider), propagate_sessions("s"), setup.tracer.start_as_current_span("root"):
        headers = {SESSION_HEADER: "s"}
        with (
            closing(openai.OpenAI(api_key="x", base_url=setup.server.base_url, default_headers=headers)) as client,
            ThreadPoolExecutor(8) as pool,
        ):
            calls = [
                pool.submit(copy_context().run, client.chat.completions.create, model=CHAT_MODEL, messages=SAME)
                for _ in range(8)
            ]
            for call in calls:
                call.result()

    assert assert_equals_bill(setup, "s", details=names != [V2]).call_count == 8


@pytest.mark.parametrize("names", [[V2], [OPENINFERENCE], [V2, OPENINFERENCE]])
def test_equal_calls_in_tasks_of_one_trace_all_count(setup: Setup, names: list[str]) -> None:
    """Eight equal calls of the asynchronous client, half of them streamed, count as eight."""

    async def ask(client: openai.AsyncOpenAI, *, stream: bool) -> None:
        if not stream:
            await client.chat.completions.create(model=CHAT_MODEL, messages=SAME)
            return
        async for _ in await client.chat.completions.create(
            model=CHAT_MODEL, messages=SAME, stream=True, stream_options={"include_usage": True}
        ):
            pass

    async def main() -> None:
        headers = {SESSION_HEADER: "s"}
        async with openai.AsyncOpenAI(api_key="x", base_url=setup.server.base_url, default_headers=headers) as client:
            with setup.tracer.start_as_current_span("root"):
                await asyncio.gather(*(ask(client, stream=bool(number % 2)) for number in range(8)))

    with instrumented(names, setup.provider), propagate_sessions("s"):
        asyncio.run(main())

    assert assert_equals_bill(setup, "s", details=names != [V2]).call_count == 8


@pytest.mark.parametrize("names", [[LANGCHAIN, V2], [LANGCHAIN, OPENINFERENCE], [LANGCHAIN, V2, OPENINFERENCE]])
def test_equal_calls_of_a_langchain_batch_all_count(setup: Setup, names: list[str]) -> None:
    """Cousins of equal calls that overlap in time pair up one to one."""
    with instrumented(names, setup.provider), propagate_sessions("s"), setup.tracer.start_as_current_span("root"):
        headers = {SESSION_HEADER: "s"}
        chat = ChatOpenAI(
            model=CHAT_MODEL, api_key=SecretStr("x"), base_url=setup.server.base_url, default_headers=headers
        )
        chat.batch(["the very same question"] * 6)

    assert assert_equals_bill(setup, "s").call_count == 6


def test_the_demo_would_notice_a_difference(setup: Setup) -> None:
    """The demo names the totals that are off when the bill has one request more than was traced."""
    ledger, session = setup.server.ledger, TICKETS[0].session_id
    with instrumented([V2, OPENINFERENCE], setup.provider):
        setup.work(SupportAgent, TICKETS[0])
    rollup = setup.rollup(session).to_dict()
    assert differences(rollup, ledger) == []
    ledger.add(Handed(session, "chat", "gpt-4o-mini-2024-07-18", "more", 200, prompt_tokens=1))

    faults = differences(rollup, ledger)

    assert [fault.split(" is ")[0] for fault in faults] == [
        f"{session}: {name}" for name in ("input_tokens", "total_cost", "cost of gpt-4o-mini-2024-07-18")
    ]


def test_a_call_of_no_ticket_is_in_no_session(setup: Setup) -> None:
    """A call outside any session is in none, and adds nothing to the others."""
    with instrumented([V2, OPENINFERENCE], setup.provider):
        setup.work(SupportAgent, TICKETS[2])
        SupportAgent(setup.tracer, setup.server.base_url, "nobody").turn("anyone?")

    assert_equals_bill(setup, TICKETS[2].session_id)
    assert [session.id for session in setup.exporter.sessions()] == [TICKETS[2].session_id]

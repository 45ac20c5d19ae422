"""A support agent on the real `openai` client: one trace per turn, one session per ticket.

Run it against the local server with `python -m examples.agent`, or choose the instrumentations:
`python -m examples.agent openai-v2` (default: `openai-v2 openinference`, which reports every call twice).

A turn asks the model, runs the tool that the model calls (a search for help articles by embeddings), and streams the
answer. The agent span also has the sum of its calls, as many frameworks write it. `close()` asks a reasoning model to sum
the ticket up.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import openai
from examples.instrumentation import instrumented
from examples.openai_server import FAIL_MARK, SESSION_HEADER, OpenAIServer
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from otel_sessions import SessionExporter, SessionSpanProcessor, propagate_sessions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from opentelemetry.trace import Span, Tracer

    class Agent(Protocol):
        """The methods of an agent that `converse` calls."""

        def turn(self, question: str) -> str:
            """The answer to one question; errors of the model's API are raised."""

        def close(self) -> str:
            """A summary of the conversation."""


CHAT_MODEL = "gpt-4o-mini"
SUMMARY_MODEL = "o4-mini"
EMBEDDING_MODEL = "text-embedding-3-small"
SYSTEM = "You are a support agent. Search the help articles before you answer."
AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "support"}
TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search_help"}
SEARCH_TOOL: Any = {
    "type": "function",
    "function": {
        "name": "search_help",
        "description": "Find help articles that answer a question",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
    },
}


@dataclass(frozen=True, slots=True)
class Ticket:
    """One conversation: the arguments of `propagate_sessions`, and the questions of the user."""

    session_id: str
    user_id: str
    name: str
    questions: tuple[str, ...]
    tags: tuple[str, ...] = ("support",)


TICKETS = (
    Ticket("ticket-2611", "user-a", "Order #12345", ("My order hasn't arrived yet", "Can I have my money back?")),
    Ticket("ticket-2612", "user-b", "Password", ("I cannot log in", f"Are you there? {FAIL_MARK}", "Hello again")),
    Ticket("ticket-2613", "user-a", "Invoice", ("Where is my invoice?",), ("support", "billing")),
)


class SupportAgent:
    """The agent for one ticket. Its client sends the ticket to the server, which uses it as a label in its ledger only."""

    def __init__(self, tracer: Tracer, base_url: str, ticket: str) -> None:
        self._tracer = tracer
        self._client = openai.OpenAI(
            api_key="not-needed-here", base_url=base_url, max_retries=0, default_headers={SESSION_HEADER: ticket}
        )
        self._messages: list[Any] = [{"role": "system", "content": SYSTEM}]

    def turn(self, question: str) -> str:
        """Answer one question in one trace: ask, search, answer."""
        with self._tracer.start_as_current_span("invoke_agent support", attributes=AGENT) as span:
            usage = TurnUsage(span)
            self._messages.append({"role": "user", "content": question})
            first = self._client.chat.completions.create(
                model=CHAT_MODEL,
                messages=self._messages,
                tools=[SEARCH_TOOL],
            )
            usage.add(first.usage)
            message = first.choices[0].message
            self._messages.append(message.model_dump(exclude_none=True))
            for call in message.tool_calls or []:
                found = self._search_help(question)
                self._messages.append({"role": "tool", "tool_call_id": call.id, "content": found})
            answer = self._stream_answer(usage)
            self._messages.append({"role": "assistant", "content": answer})
            return answer

    def close(self) -> str:
        """Sum the ticket up in one trace, with a reasoning model."""
        with self._tracer.start_as_current_span("invoke_agent summary", attributes=AGENT) as span:
            request: Any = {"role": "user", "content": "Sum this ticket up"}
            answer = self._client.chat.completions.create(model=SUMMARY_MODEL, messages=[*self._messages, request])
            TurnUsage(span).add(answer.usage)
            return answer.choices[0].message.content or ""

    def _search_help(self, query: str) -> str:
        with self._tracer.start_as_current_span("execute_tool search_help", attributes=TOOL):
            self._client.embeddings.create(model=EMBEDDING_MODEL, input=query)
            return "Orders arrive within five days."

    def _stream_answer(self, usage: TurnUsage) -> str:
        parts = []
        with self._client.chat.completions.create(
            model=CHAT_MODEL, messages=self._messages, stream=True, stream_options={"include_usage": True}
        ) as stream:
            for chunk in stream:
                usage.add(chunk.usage)
                parts += [choice.delta.content or "" for choice in chunk.choices]
        return "".join(parts)


@dataclass(slots=True)
class TurnUsage:
    """Writes the running sum of a turn's calls on its agent span, next to the spans of the calls themselves."""

    span: Span
    input_tokens: int = 0
    output_tokens: int = 0

    def add(self, usage: openai.types.CompletionUsage | None) -> None:
        """Add the usage of one answer; in a stream only the last chunk has one."""
        if usage is None:
            return
        self.input_tokens += usage.prompt_tokens
        self.output_tokens += usage.completion_tokens
        self.span.set_attribute("gen_ai.usage.input_tokens", self.input_tokens)
        self.span.set_attribute("gen_ai.usage.output_tokens", self.output_tokens)


def converse(agent: Agent, ticket: Ticket) -> list[str]:
    """Work through one ticket in its session, which every span of every turn carries; a failed turn gets an excuse."""
    with propagate_sessions(
        ticket.session_id,
        user_id=ticket.user_id,
        session_name=ticket.name,
        tags=ticket.tags,
        conversation_id=f"conversation of {ticket.session_id}",
    ):
        answers = []
        for question in ticket.questions:
            try:
                answers.append(agent.turn(question))
            except openai.APIStatusError as error:
                answers.append(f"Sorry, please ask again ({error.status_code}).")
        answers.append(agent.close())
        return answers


def main(names: Sequence[str]) -> None:
    """Work through the tickets with the named instrumentations and print the sessions of the exporter."""
    exporter = SessionExporter()
    provider = TracerProvider()
    provider.add_span_processor(SessionSpanProcessor())
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("examples.agent")
    with OpenAIServer() as server, instrumented(names, provider):
        for ticket in TICKETS:
            print(ticket.session_id, ticket.name)
            for answer in converse(SupportAgent(tracer, server.base_url, ticket.session_id), ticket):
                print("   ", answer)
    provider.shutdown()
    for session in exporter.sessions():
        print(session.id, session.trace_count, "traces", session.total_tokens, "tokens", session.total_cost, "USD")


if __name__ == "__main__":
    main(sys.argv[1:] or ["openai-v2", "openinference"])

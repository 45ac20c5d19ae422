"""The demo: an instrumented agent works through a few tickets offline, and its sessions are checked to the token.

Everything is real but the model: the `openai` client and LangChain, three instrumentation packages at once (so every
call is in the trace two or three times), OTLP over gRPC to a receiver. The model is a local server that speaks the
OpenAI API and keeps a ledger of what it handed out. Exit status 1 if a total differs from the ledger or a span is
missing at the receiver.
"""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import TYPE_CHECKING

from examples.agent import TICKETS, SupportAgent, converse
from examples.instrumentation import INSTRUMENTORS, instrumented
from examples.langchain_agent import LangChainAgent
from examples.openai_prices import cost
from examples.openai_server import OpenAIServer
from examples.otlp_receiver import OTLPReceiver
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from otel_sessions import SessionExporter, SessionSpanProcessor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from examples.openai_ledger import Ledger

    from otel_sessions import SessionRollup

AGENTS: tuple[type[SupportAgent | LangChainAgent], ...] = (SupportAgent, SupportAgent, LangChainAgent)
HEADINGS = ("session", "user", "name", "traces", "failed", "calls", "input", "cached", "output", "reasoning", "USD")
RECEIVER_DEADLINE = 10.0


class Ended(SpanProcessor):
    """Remembers which spans ended, to compare them with those that arrived."""

    def __init__(self) -> None:
        self.ids: list[bytes] = []

    def on_end(self, span: ReadableSpan) -> None:
        """Note one span."""
        assert span.context is not None
        self.ids.append(span.context.span_id.to_bytes(8))


def rows_of(session: SessionRollup) -> list[tuple[str, ...]]:
    """The table's rows for one session: itself, then each model that it used."""
    head = (
        session.id,
        ", ".join(session.user_ids),
        session.name or "",
        str(session.trace_count),
        str(session.failed_trace_count),
        str(session.call_count),
        number(session.input_tokens),
        number(session.cache_read_tokens),
        number(session.output_tokens),
        number(session.reasoning_tokens),
        number(session.total_cost),
    )
    models = [
        (
            "",
            "",
            model.model or "?",
            "",
            "",
            str(model.call_count),
            number(model.input_tokens),
            number(model.cache_read_tokens),
            number(model.output_tokens),
            number(model.reasoning_tokens),
            number(model.total_cost),
        )
        for model in session.models
    ]
    return [head, *models]


def number(value: int | Decimal | None) -> str:
    """A number for the table; what is not known is a dash, not a zero."""
    if value is None:
        return "-"
    return f"{value:.8f}" if isinstance(value, Decimal) else str(value)


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Text columns to the left, numbers to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(
            cell.ljust(width) if column < 3 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def differences(session: SessionRollup, ledger: Ledger) -> list[str]:
    """Where a session's totals are not what the server handed out, in words; empty when all are equal."""
    entries = ledger.entries(session.id)
    bill = ledger.bill(session.id)
    expected = {
        "input_tokens": bill.prompt_tokens,
        "output_tokens": bill.completion_tokens,
        "cache_read_tokens": bill.cached_tokens,
        "reasoning_tokens": bill.reasoning_tokens,
        "total_cost": cost(entries),
    }
    pairs = [(name, getattr(session, name), value) for name, value in expected.items()]
    costs = {model.model: model.total_cost for model in session.models}
    for name in ledger.by_model(session.id):
        theirs = cost(entry for entry in entries if entry.model == name)
        pairs.append((f"cost of {name}", costs.get(name), theirs))
    return [
        f"{session.id}: {name} is {ours}, the server says {theirs}" for name, ours, theirs in pairs if ours != theirs
    ]


def main() -> int:
    """Run the demo; 0 when every number and every span is where it should be."""
    with OpenAIServer() as server, OTLPReceiver() as receiver:
        ended = Ended()
        exporter = SessionExporter(OTLPSpanExporter(endpoint=receiver.endpoint))
        provider = TracerProvider()
        provider.add_span_processor(SessionSpanProcessor())
        provider.add_span_processor(ended)
        provider.add_span_processor(BatchSpanProcessor(exporter))
        tracer = provider.get_tracer("examples.demo")
        with instrumented(INSTRUMENTORS, provider):
            for ticket, agent in zip(TICKETS, AGENTS, strict=True):
                converse(agent(tracer, server.base_url, ticket.session_id), ticket)
        provider.shutdown()

        sessions = [exporter.session(ticket.session_id) for ticket in TICKETS]
        found = [session for session in sessions if session is not None]
        print(table([HEADINGS, *(row for session in found for row in rows_of(session))]), end="\n\n")

        faults = [
            f"no session {ticket.session_id}" for ticket, session in zip(TICKETS, sessions, strict=True) if not session
        ]
        faults += [line for session in found for line in differences(session, server.ledger)]
        arrived = [span.span_id for span in receiver.wait_for(len(ended.ids), RECEIVER_DEADLINE)]
        if sorted(arrived) != sorted(ended.ids):
            faults.append(f"{len(ended.ids)} spans ended, {len(arrived)} arrived at the OTLP receiver")

    if faults:
        print(*faults, sep="\n")
        return 1
    print(
        f"Tokens and cost of {len(found)} sessions equal the bill of the server, {len(server.ledger.entries())} requests."
    )
    print(f"All {len(arrived)} spans arrived at the OTLP receiver on port {receiver.port}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The demo: an instrumented agent works through a few tickets offline, and its sessions are checked to the token.

Everything but the model is real: the `openai` client and LangChain, three instrumentation packages at once (so that every
call is in the trace two or three times), OTLP over gRPC to `otel-sessions serve`. The model is a local server with the
OpenAI API, which keeps a ledger of its answers. One more session comes as log records only, as a coding agent sends them.
The exit status is 1 if a total of otel-sessions differs from the ledger or from the coding agent's bill, or a span is missing.

`--stay` leaves the server running until Ctrl-C.
"""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from examples import coding_agent
from examples.agent import TICKETS, SupportAgent, converse
from examples.instrumentation import INSTRUMENTORS, instrumented
from examples.langchain_agent import LangChainAgent
from examples.openai_prices import cost
from examples.openai_server import OpenAIServer
from examples.server_process import ServerProcess
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from otel_sessions import SessionExporter, SessionSpanProcessor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from examples.openai_ledger import Ledger

AGENTS: tuple[type[SupportAgent | LangChainAgent], ...] = (SupportAgent, SupportAgent, LangChainAgent)
HEADINGS = (
    "session",
    "user",
    "name",
    "traces",
    "failed",
    "calls",
    "input",
    "cached",
    "written",
    "output",
    "reasoning",
    "USD",
)
COLUMNS = (
    "call_count",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
)


class Ended(SpanProcessor):
    """Keeps the ids of the spans that ended, to compare them with those that arrived."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def on_end(self, span: ReadableSpan) -> None:
        """Keep the id of one span."""
        assert span.context is not None
        self.ids.append(f"{span.context.span_id:016x}")


def rows_of(session: Any) -> list[tuple[str, ...]]:
    """The rows of the table for one session from the API: the session, then each model that it used."""

    def use(one: Any) -> tuple[str, ...]:
        return (*(number(one[column]) for column in COLUMNS), number(money(one["total_cost"])))

    traces = str(session["trace_count"]), str(session["failed_trace_count"])
    head = (session["id"], ", ".join(session["user_ids"]), session["name"] or "", *traces, *use(session))
    return [head, *(("", "", model["model"] or "?", "", "", *use(model)) for model in session["models"])]


def money(value: str | None) -> Decimal | None:
    """The amount of a decimal string from the API."""
    return None if value is None else Decimal(value)


def number(value: int | Decimal | None) -> str:
    """A number for the table; an unknown one is a dash, not a zero."""
    if value is None:
        return "-"
    return f"{value:.8f}" if isinstance(value, Decimal) else str(value)


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """The rows as a table, text left-aligned and numbers right-aligned."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(
            cell.ljust(width) if column < 3 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def differences(session: Any, ledger: Ledger) -> list[str]:
    """A sentence for each total of a session that differs from the ledger of the model's server."""
    name = session["id"]
    entries = ledger.entries(name)
    bill = ledger.bill(name)
    expected = {
        "input_tokens": bill.prompt_tokens,
        "output_tokens": bill.completion_tokens,
        "cache_read_tokens": bill.cached_tokens,
        "reasoning_tokens": bill.reasoning_tokens,
    }
    pairs: list[tuple[str, object, object]] = [(part, session[part], value) for part, value in expected.items()]
    pairs.append(("total_cost", money(session["total_cost"]), cost(entries)))
    costs = {model["model"]: money(model["total_cost"]) for model in session["models"]}
    pairs += [
        (f"cost of {model}", costs.get(model), cost(entry for entry in entries if entry.model == model))
        for model in ledger.by_model(name)
    ]
    return [f"{name}: {what} is {ours}, in the bill it is {theirs}" for what, ours, theirs in pairs if ours != theirs]


def work(model: OpenAIServer, backend: ServerProcess) -> tuple[SessionExporter, list[str]]:
    """Work through the tickets; returns the exporter, which counts too, and the ids of all spans."""
    ended = Ended()
    exporter = SessionExporter(OTLPSpanExporter(endpoint=backend.grpc))
    provider = TracerProvider()
    provider.add_span_processor(SessionSpanProcessor())
    provider.add_span_processor(ended)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("examples.demo")
    with instrumented(INSTRUMENTORS, provider):
        for ticket, agent in zip(TICKETS, AGENTS, strict=True):
            converse(agent(tracer, model.base_url, ticket.session_id), ticket)
    provider.shutdown()
    return exporter, ended.ids


def faults_of(
    sessions: Sequence[Any], exporter: SessionExporter, ended: Sequence[str], arrived: Sequence[str], ledger: Ledger
) -> list[str]:
    """A sentence for each fault that was found."""
    found = {session["id"] for session in sessions}
    expected = [*(ticket.session_id for ticket in TICKETS), coding_agent.SESSION]
    faults = [f"no session {name}" for name in expected if name not in found]
    for session in sessions:
        if session["id"] == coding_agent.SESSION:
            faults += coding_agent.differences(session)
            continue
        faults += differences(session, ledger)
        counted = exporter.session(session["id"])
        # A server says of a session that was just active that it is running; all else is what the exporter counts.
        if counted is None or {**counted.to_dict(), "status": session["status"]} != session:
            faults.append(f"{session['id']}: the server and the exporter count differently")
    if sorted(arrived) != sorted(ended):
        faults.append(f"{len(ended)} spans ended, {len(arrived)} arrived at the OTLP receiver")
    return faults


def stay(url: str) -> None:
    """Wait for Ctrl-C or SIGTERM."""
    with suppress(KeyboardInterrupt):
        # Shells start background jobs with SIGINT ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        print(f"The server runs at {url} until Ctrl-C.", flush=True)
        # Another thread may receive the signal; this one handles it only when it wakes up.
        while not threading.Event().wait(0.5):
            pass


def main(arguments: Sequence[str]) -> int:
    """Run the demo; returns 0 if every number is right and every span arrived."""
    with OpenAIServer() as model, ServerProcess() as backend:
        records = coding_agent.converse(backend.url)
        exporter, ended = work(model, backend)
        print(f"{backend.url}/v1/sessions answers:", end="\n\n")
        sessions = backend.get("/v1/sessions?sort=created&order=asc")["data"]
        print(table([HEADINGS, *(row for session in sessions for row in rows_of(session))]), end="\n\n")
        arrived = [span["span_id"] for session in sessions for span in backend.spans(session["id"])]
        faults = faults_of(sessions, exporter, ended, arrived, model.ledger)
        if faults:
            print(*faults, sep="\n")
            return 1
        requests = len(model.ledger.entries())
        print(f"Tokens and cost of {len(TICKETS)} sessions equal the bill of the server, {requests} requests.")
        billed = coding_agent.bill().calls
        print(f"{coding_agent.SESSION} came as {records} log records only; it equals the bill too, {billed} requests.")
        print(f"All {len(arrived)} spans arrived at the OTLP receiver of otel-sessions.")
        if "--stay" in arguments:
            stay(backend.url)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

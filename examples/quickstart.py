"""The quick start, with the session of every span and its cost: `python -m examples.quickstart`."""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from otel_sessions import SessionExporter, SessionSpanProcessor, propagate_sessions

tracer = trace.get_tracer("examples.quickstart")


def answer(question: str) -> str:
    """Answer one request in one trace, with a model call."""
    with tracer.start_as_current_span("answer"), tracer.start_as_current_span("chat") as span:
        span.set_attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                "gen_ai.usage.input_tokens": 40 + len(question),
                "gen_ai.usage.output_tokens": 12,
            }
        )
        return "It is on its way."


def main() -> None:
    """Answer two questions in one session and print its tokens and cost."""
    provider = TracerProvider()
    provider.add_span_processor(SessionSpanProcessor())
    exporter = SessionExporter()  # SessionExporter(OTLPSpanExporter()) also forwards every span
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)

    with propagate_sessions("ticket-2611", user_id="user-a", session_name="Order #12345", tags=["support"]):
        answer("My order hasn't arrived yet")
        answer("When will it?")

    provider.force_flush()
    session = exporter.session("ticket-2611")
    assert session is not None
    print(f"{session.name}: {session.trace_count} traces, {session.call_count} calls, {session.total_tokens} tokens")
    print(f"users {session.user_ids}, cost {session.total_cost} USD ({', '.join(session.cost_sources)})")
    provider.shutdown()


if __name__ == "__main__":
    main()

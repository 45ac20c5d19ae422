"""Two services over HTTP headers: `baggage=True` sends the session, and the other service checks it.

`python -m examples.services_with_baggage`. Baggage is sent to every service that is called, also to third parties, so it
is off by default. A service that the public can call accepts none with `SessionSpanProcessor(accept_baggage=())`.
"""

from __future__ import annotations

from examples.printing import Print, printing_provider
from opentelemetry.propagate import extract, inject
from opentelemetry.sdk.trace import TracerProvider

from otel_sessions import SessionSpanProcessor, propagate_sessions

front = printing_provider().get_tracer("examples.front")
back = printing_provider().get_tracer("examples.back")

edge_provider = TracerProvider()
edge_provider.add_span_processor(SessionSpanProcessor(accept_baggage=()))
edge_provider.add_span_processor(Print())
edge = edge_provider.get_tracer("examples.edge")


def call() -> dict[str, str]:
    """Put trace and baggage into headers, as an instrumented HTTP client does."""
    headers: dict[str, str] = {}
    inject(headers)
    return headers


def main() -> None:
    """Send one request from service to service, and one to a service that accepts no baggage."""
    session = propagate_sessions("ticket-2611", user_id="user-a", baggage=True, conversation_id="conv-1")
    with session, front.start_as_current_span("front"):
        headers = call()
    print("baggage:", headers["baggage"])
    with back.start_as_current_span("back", context=extract(headers)):
        pass
    with edge.start_as_current_span("edge", context=extract(headers)):
        pass


if __name__ == "__main__":
    main()

"""A FastAPI app that streams: every chunk has its session, which does not leak into other requests.

`python -m examples.streaming_fastapi` calls it in process. A `with` around the response would end before the first
chunk is sent, and one inside a plain generator is lost between chunks, which Starlette fetches from different threads:
decorate the generator, or `wrap` the iterator.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from examples.printing import printing_provider
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient

from otel_sessions import propagate_sessions

tracer = printing_provider().get_tracer("examples.streaming")
app = FastAPI()


@propagate_sessions(lambda ticket: ticket)
def decorated(ticket: str) -> Iterator[str]:
    """Yield chunks, each with a span, inside a span around all of them."""
    with tracer.start_as_current_span("stream"):
        for word in ("on", "its", "way"):
            with tracer.start_as_current_span(f"chunk {word}"):
                yield f"{word} "


async def plain() -> AsyncIterator[str]:
    """Yield chunks as a library does that knows nothing about sessions."""
    for word in ("thank", "you"):
        with tracer.start_as_current_span(f"chunk {word}"):
            yield f"{word} "


@app.get("/decorated/{ticket}")
def stream_decorated(ticket: str) -> StreamingResponse:
    """Stream from the decorated generator function."""
    return StreamingResponse(decorated(ticket))


@app.get("/wrapped/{ticket}")
async def stream_wrapped(ticket: str) -> StreamingResponse:
    """Stream from a wrapped iterator."""
    return StreamingResponse(propagate_sessions(ticket).wrap(plain()))


def main() -> None:
    """Call both endpoints."""
    with TestClient(app) as client:
        print(client.get("/decorated/ticket-1").text)
        print(client.get("/wrapped/ticket-2").text)


if __name__ == "__main__":
    main()

"""`BadRequests`: an HTTP protocol that answers what is no HTTP in the shape of all errors."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from otel_sessions.server.api.errors import error_response

_MESSAGE: Final = "what was sent is not a valid HTTP/1.1 request"


class BadRequests(HttpToolsProtocol):
    """Answers a request that cannot be parsed with an error like any other, and with the headers of all answers."""

    def send_400_response(self, msg: str) -> None:
        """Answer with a 400 and close the connection."""
        self.transport.write(as_bytes(error_response(400, "bad_request", _MESSAGE)))
        self.transport.close()


def as_bytes(answer: Response) -> bytes:
    """An answer as it is sent before a connection is closed."""
    status = HTTPStatus(answer.status_code)
    head = [f"HTTP/1.1 {status.value} {status.phrase}".encode(), b"connection: close"]
    head += [name + b": " + value for name, value in answer.raw_headers]
    return b"\r\n".join([*head, b"", bytes(answer.body)])

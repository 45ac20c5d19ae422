"""What is no HTTP is answered in the shape of all errors."""

from __future__ import annotations

import json
import socket

from starlette.responses import Response
from tests.server.running import SECONDS

from otel_sessions.server.api.headers import SECURITY_HEADERS
from otel_sessions.server.process.http_server import HttpServer, listen


def test_what_is_no_http() -> None:
    """The answer is a 400 with the headers of all answers, and the connection is closed."""
    listening = listen("127.0.0.1", 0)
    server = HttpServer(Response(b"hello"), listening)
    server.start()
    with socket.create_connection(listening.getsockname(), timeout=SECONDS) as connection:
        connection.sendall(b"\x16\x03\x01\0\r\n\r\n")
        head, _, body = b"".join(iter(lambda: connection.recv(65536), b"")).partition(b"\r\n\r\n")
    server.close()
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert status == "HTTP/1.1 400 Bad Request"
    assert headers["connection"] == "close"
    assert headers["content-length"] == str(len(body))
    assert {name: headers[name.lower()] for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert json.loads(body) == {
        "error": {"code": "bad_request", "message": "what was sent is not a valid HTTP/1.1 request"}
    }

"""A client that does not read its answer is disconnected, and holds up nobody."""

from __future__ import annotations

import http.client
import socket
import threading
import urllib.request
from contextlib import closing

import anyio
import pytest
from starlette.types import Message, Receive, Scope, Send
from tests.server.running import SECONDS

from otel_sessions.server.api.large_answers import AnswersInParts
from otel_sessions.server.process.http_server import HttpServer, listen, shown_address

MEBIBYTE = 1 << 20


class App:
    """Answers with 16 MiB at once, or with a stream that has no end; says when a client has been given up."""

    def __init__(self) -> None:
        self.ended = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while scope["path"] == "/stream" and not scope["state"].get("over"):
            await send({"type": "http.response.body", "body": bytes(MEBIBYTE), "more_body": True})
            if (await receive_now(receive))["type"] == "http.disconnect":
                break
        await send({"type": "http.response.body", "body": bytes(16 * MEBIBYTE)})
        self.ended.set()


async def receive_now(receive: Receive) -> Message:
    """The next message of a client, if it is there."""
    with anyio.move_on_after(0.001):
        return await receive()
    return {"type": "none"}


def reader(listening: socket.socket, path: str) -> socket.socket:
    """A client that asks and then does not read; its buffer is small."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(SECONDS)
    connection.connect(listening.getsockname())
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return connection


def read_on(connection: socket.socket) -> int:
    """The bytes that can still be read, until the connection was reset."""
    size = 0
    try:
        while part := connection.recv(MEBIBYTE):
            size += len(part)
    except ConnectionResetError:
        return size
    raise AssertionError("the connection was not reset")


@pytest.mark.parametrize("path", ["/", "/stream"])
def test_a_client_that_does_not_read_is_disconnected(path: str) -> None:
    """What it left unread is given up after a while: the app goes on, and the connection is reset."""
    app = App()
    listening = listen("127.0.0.1", 0)
    server = HttpServer(AnswersInParts(app), listening, write_seconds=0.2)
    server.start()
    with reader(listening, path) as connection:
        assert app.ended.wait(SECONDS)
        assert read_on(connection) < 16 * MEBIBYTE
    server.close()


def test_a_client_that_reads_slowly_gets_all() -> None:
    """The time begins again with each part that was read."""
    listening = listen("127.0.0.1", 0)
    server = HttpServer(AnswersInParts(App()), listening, write_seconds=5)
    server.start()
    with urllib.request.urlopen(f"http://{shown_address(listening)}/", timeout=SECONDS) as answer:
        assert sum(len(part) for part in iter(lambda: answer.read(4096), b"")) == 16 * MEBIBYTE
    server.close()


def test_a_client_that_has_read_all_holds_up_no_stop() -> None:
    """A connection that is kept for another request is closed when the server stops."""
    listening = listen("127.0.0.1", 0)
    server = HttpServer(AnswersInParts(App()), listening)
    server.start()
    with closing(http.client.HTTPConnection("127.0.0.1", listening.getsockname()[1], timeout=SECONDS)) as connection:
        connection.request("GET", "/")
        assert len(connection.getresponse().read()) == 16 * MEBIBYTE
        server.close()
        assert connection.sock.recv(1) == b""


@pytest.mark.parametrize("path", ["/", "/stream"])
def test_a_client_that_does_not_read_holds_up_no_stop(path: str, caplog: pytest.LogCaptureFixture) -> None:
    """A server that stops gives such a client up at once, and has to cancel nothing after its time for others."""
    app = App()
    listening = listen("127.0.0.1", 0)
    server = HttpServer(AnswersInParts(app), listening, write_seconds=SECONDS)
    server.start()
    with reader(listening, path) as connection:
        assert connection.recv(1) == b"H"
        server.close()
        assert app.ended.is_set()
    assert [record.getMessage() for record in caplog.records if "timeout" in record.getMessage()] == []

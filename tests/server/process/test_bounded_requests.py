"""What a client takes of an HTTP server before its request is known is bounded, and honest clients do not notice."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest

from otel_sessions.server.api.auth import ApiKeyGuard
from otel_sessions.server.process.http_server import HttpServer, listen
from otel_sessions.server.process.waiting_clients import DEFAULT_HTTP_LIMITS, HttpLimits

SECONDS = 30.0
SOON = 0.05
HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n"
GET = HEAD + b"\r\n"
FLOOD = 64 << 20


class App:
    """Answers with the number of bytes of the body; `/unread` does without reading it, `/held` when `go_on` is set."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.bodies: list[bytes] = []
        self.asked = threading.Event()
        self.go_on = threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, as ASGI has it."""
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        import anyio

        self.begun.append(scope["path"])
        if scope["path"] == "/held":
            self.asked.set()
            await anyio.to_thread.run_sync(self.go_on.wait)
        body = b"" if scope["path"] == "/unread" else await _body(receive)
        self.bodies.append(body)
        answer = f"{scope['path']} {len(body)}\n".encode()
        length = (b"content-length", str(len(answer)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": answer})


async def _body(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


class Served:
    """A server with an app."""

    def __init__(self, app: App, port: int) -> None:
        self.app = app
        self._port = port

    @contextmanager
    def connected(self, begin: bytes = b"") -> Iterator[socket.socket]:
        """A connection on which these bytes were sent."""
        with socket.create_connection(("127.0.0.1", self._port), timeout=SECONDS) as connection:
            connection.sendall(begin)
            yield connection

    def ask(self, request: bytes, *, until: bytes = b"\r\n\r\n") -> bytes:
        """The answer to a request on a connection of its own, to these bytes."""
        with self.connected(request) as connection:
            return read(connection, until)


def read(connection: socket.socket, until: bytes = b"") -> bytes:
    """What comes until these bytes, or until the connection is closed."""
    came = b""
    with suppress(ConnectionResetError):
        while not until or until not in came:
            more = connection.recv(65536)
            if not more:
                break
            came += more
    return came


def flood(connection: socket.socket, what: bytes) -> int:
    """Send the same without end, and return how many bytes were taken until the connection was closed, or none more."""
    taken = 0
    connection.settimeout(1)
    with suppress(OSError):
        while taken < FLOOD:
            taken += connection.send(what)
    connection.settimeout(SECONDS)
    return taken


def status(answer: bytes) -> int:
    """The status of an answer; 0 without one."""
    return int(answer.split(b" ", 2)[1]) if answer else 0


@contextmanager
def serving(limits: HttpLimits = DEFAULT_HTTP_LIMITS) -> Iterator[Served]:
    """A server with these limits."""
    app = App()
    listening = listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    server = HttpServer(app, listening, limits=limits)
    server.start()
    try:
        yield Served(app, port)
    finally:
        app.go_on.set()
        server.close()


@pytest.fixture
def served() -> Iterator[Served]:
    """A server with the default limits."""
    with serving() as served:
        yield served


@pytest.mark.parametrize(
    "begin",
    [
        pytest.param(HEAD + b"X: ", id="one header"),
        pytest.param(b"GET /", id="one path"),
        pytest.param(b"", id="empty lines"),
        pytest.param(HEAD, id="many headers"),
    ],
)
def test_headers_without_end(served: Served, begin: bytes) -> None:
    """Headers over the limit are answered with 431, in the shape of all errors, and the connection is closed."""
    what = {b"": b"\r\n", HEAD: b"X: y\r\n"}.get(begin, b"a")
    with served.connected(begin) as connection:
        connection.sendall(what * ((32 << 10) // len(what)))
        answer = read(connection)
    assert status(answer) == 431
    assert b"connection: close" in answer.lower()
    assert b'{"error":{"code":"headers_too_large"' in answer
    assert served.app.begun == []


def test_a_flood_of_headers(served: Served) -> None:
    """A client that goes on sending headers is cut off."""
    with served.connected(HEAD) as connection:
        assert flood(connection, b"X: " + b"a" * 8000 + b"\r\n") < FLOOD


def test_headers_within_the_limit(served: Served) -> None:
    """Large headers that end within the limit are read."""
    assert status(served.ask(HEAD + b"X: " + b"a" * 31_000 + b"\r\n\r\n")) == 200


def test_trailers_without_end(served: Served) -> None:
    """Trailers are limited as headers are."""
    begin = b"POST /held HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
    with served.connected(begin) as connection:
        assert served.app.asked.wait(SECONDS)
        assert flood(connection, b"X: " + b"a" * 8000 + b"\r\n") < FLOOD
        assert read(connection) == b""


@pytest.mark.parametrize("begin", [b"", b"GET", HEAD, GET + b"GET"])
def test_headers_that_do_not_come(begin: bytes) -> None:
    """A client that sends no whole request in time is told so, or just cut off if it sent nothing."""
    with serving(DEFAULT_HTTP_LIMITS._replace(head_seconds=SOON)) as served, served.connected(begin) as connection:
        if begin.startswith(GET):
            read(connection, b"/ 0\n")
        answer = read(connection)
    assert status(answer) == (408 if begin else 0)


def test_each_client_has_its_own_time() -> None:
    """The time of a client begins when it connects, whatever the time of others."""
    with serving(DEFAULT_HTTP_LIMITS._replace(head_seconds=SOON)) as served, served.connected(HEAD) as first:
        assert status(served.ask(GET)) == 200
        with served.connected(HEAD) as second:
            assert [status(read(first)), status(read(second))] == [408, 408]


def test_a_header_a_byte_at_a_time() -> None:
    """The time for the headers does not begin again with each byte."""
    with serving(DEFAULT_HTTP_LIMITS._replace(head_seconds=0.2)) as served, served.connected(HEAD) as connection:
        connection.settimeout(0.01)
        answer = b""
        while not answer:
            with suppress(TimeoutError):
                connection.sendall(b"a")
                answer = connection.recv(65536)
    assert status(answer) == 408


def test_a_connection_that_idles() -> None:
    """A connection on which no other request comes is closed without a word."""
    with serving(DEFAULT_HTTP_LIMITS._replace(idle_seconds=SOON)) as served, served.connected(GET) as connection:
        assert read(connection).endswith(b"\r\n\r\n/ 0\n")


def test_the_rest_of_a_body_that_is_not_needed() -> None:
    """A body that was answered before its end may end; one that does not is cut off."""
    head = b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n"
    with serving() as served, served.connected(head) as connection:
        assert read(connection, b"/unread 0\n")
        connection.sendall(b"x" * 300_000 + GET)
        assert read(connection, b"/ 0\n")
    limits = DEFAULT_HTTP_LIMITS._replace(rest_seconds=SOON)
    with serving(limits) as served, served.connected(head + b"x") as connection:
        assert read(connection).endswith(b"/unread 0\n")


def test_the_rest_in_small_chunks(served: Served) -> None:
    """A body in small chunks that was answered before its end is read slowly, and the next request answered."""
    head = b"POST /unread HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    with served.connected(head) as connection:
        assert read(connection, b"/unread 0\n")
        connection.sendall(b"1\r\nx\r\n" * 3000 + b"0\r\n\r\n" + GET)
        assert read(connection, b"/ 0\n")


@pytest.mark.parametrize("header", [b"", b"Authorization: Bearer wrong\r\n"])
def test_the_key_is_checked_before_the_body(header: bytes) -> None:
    """Without the key a request is answered when its headers have come, before its body."""
    app = App()
    listening = listen("127.0.0.1", 0)
    server = HttpServer(ApiKeyGuard(app, api_key="secret"), listening)
    served = Served(app, listening.getsockname()[1])
    server.start()
    try:
        head = b"POST /v1/traces HTTP/1.1\r\nHost: a\r\n" + header
        assert status(served.ask(head + b"Content-Length: 33554432\r\n\r\n")) == 401
        assert status(served.ask(head + b"Transfer-Encoding: chunked\r\n\r\n")) == 401
        assert app.begun == []
    finally:
        server.close()


def test_requests_ahead_of_their_answers(served: Served) -> None:
    """Requests that a client sends ahead wait at the client, and are answered in order."""
    held = b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n"
    later = b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(100))
    with served.connected(held + later) as connection:
        assert served.app.asked.wait(SECONDS)
        assert served.app.begun == ["/held"]
        assert flood(connection, GET * 1000) < FLOOD
        assert served.app.begun == ["/held"]
        served.app.go_on.set()
        answers = read(connection, b"/99 0\n")
    assert answers.count(b"200 OK") >= 101
    assert served.app.begun[:101] == ["/held", *(f"/{number}" for number in range(100))]


@pytest.mark.parametrize("parts", [1, 7, 4096])
@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_arrive_whole(served: Served, parts: int, *, chunked: bool) -> None:
    """Bodies arrive unchanged, however they are cut, as do the requests behind them."""
    body = bytes(range(256)) * 1024
    if chunked:
        pieces = [body[at : at + 5000] for at in range(0, len(body), 5000)]
        framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        request = b"POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + framed
    else:
        request = b"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    sent = request * 2 + GET
    step = max(1, len(sent) // parts)
    with served.connected() as connection:
        for at in range(0, len(sent), step):
            connection.sendall(sent[at : at + step])
        assert read(connection, b"/ 0\n").count(b"200 OK") == 3
    assert served.app.bodies == [body, body, b""]


def test_chunks_of_one_byte(served: Served) -> None:
    """A body in chunks of one byte arrives while others are answered."""
    chunks = b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n"
    with served.connected(b"POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n") as connection:
        sending = threading.Thread(target=connection.sendall, args=(chunks,))
        sending.start()
        assert status(served.ask(GET)) == 200
        assert read(connection, b"/body 100000\n")
        sending.join(SECONDS)


def test_the_oldest_waiting_client_makes_room() -> None:
    """When there are too many connections, those go that wait for their client, the oldest first: unfinished requests, then idle ones."""
    with serving(DEFAULT_HTTP_LIMITS._replace(connections=3)) as served, ExitStack() as stack:
        idle = stack.enter_context(served.connected(GET))
        assert read(idle, b"/ 0\n")
        oldest = stack.enter_context(served.connected(HEAD))
        newer = stack.enter_context(served.connected(HEAD))
        assert status(served.ask(GET)) == 200
        assert read(oldest) == b""
        newer.sendall(b"\r\n")
        assert read(newer, b"/ 0\n")
        idle.sendall(GET)
        assert read(idle, b"/ 0\n")


def test_no_room() -> None:
    """When all connections have a request under way, another one is refused with the time to try again."""
    with serving(DEFAULT_HTTP_LIMITS._replace(connections=1)) as served:
        with served.connected(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n") as held:
            assert served.app.asked.wait(SECONDS)
            refused = served.ask(b"", until=b"}}")
            assert status(refused) == 503
            assert b"retry-after: 5" in refused.lower()
            served.app.go_on.set()
            assert read(held, b"\n").startswith(b"HTTP/1.1 200")
        assert status(served.ask(GET)) == 200


def test_an_upgrade_is_a_request(served: Served) -> None:
    """A request to change the protocol is answered, and the next one on the connection too."""
    upgrade = HEAD + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    with served.connected(upgrade) as connection:
        read(connection, b"/ 0\n")
        connection.sendall(GET)
        assert status(read(connection, b"/ 0\n")) == 200

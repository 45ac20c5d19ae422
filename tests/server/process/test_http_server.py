"""An app is served on a thread, from its socket to the last answer."""

from __future__ import annotations

import socket
import threading
import urllib.request
from typing import Any

import pytest
from tests.server.running import HAS_IPV6

from otel_sessions.server.process.http_server import HttpServer, listen, shown_address


class App:
    """Answers `hello`; to `/slow` only when `may_answer` is set."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.may_answer = threading.Event()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one request, as ASGI has it."""
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        if scope["path"] == "/slow":
            import anyio

            self.asked.set()
            await anyio.to_thread.run_sync(self.may_answer.wait)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})


def get(address: str, path: str = "/") -> bytes:
    """The body of an answer."""
    with urllib.request.urlopen(f"http://{address}{path}", timeout=30) as response:
        assert "server" not in response.headers
        body: bytes = response.read()
        return body


needs_ipv6 = pytest.mark.skipif(not HAS_IPV6, reason="this machine has no IPv6")


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "127.0.0.1"),
        pytest.param("::1", "[::1]", marks=needs_ipv6),
    ],
)
def test_it_serves_until_it_is_closed(host: str, shown: str) -> None:
    """A server answers on the free port that it took, under an address that fits into a URL, until it is closed."""
    ended = threading.Event()
    listening = listen(host, 0)
    address = shown_address(listening)
    assert address.startswith(f"{shown}:")
    server = HttpServer(App(), listening, on_end=ended.set)
    server.start()
    assert (ended.is_set(), server.is_serving) == (False, True)
    assert get(address) == b"hello"
    server.close()
    assert (ended.is_set(), server.is_serving) == (True, False)
    with pytest.raises(OSError, match="refused"):
        get(address)
    server.close()


@needs_ipv6
def test_every_address_of_both_kinds() -> None:
    """A server on `::` is reached by IPv4 too."""
    listening = listen("::", 0)
    server = HttpServer(App(), listening)
    server.start()
    port = listening.getsockname()[1]
    assert get(f"127.0.0.1:{port}") == get(f"[::1]:{port}") == b"hello"
    server.close()


def test_a_request_under_way_is_answered() -> None:
    """A server that stops answers the request under way, and accepts no other."""
    app = App()
    listening = listen("127.0.0.1", 0)
    address = shown_address(listening)
    server = HttpServer(app, listening)
    server.start()
    answers: list[bytes] = []
    asking = threading.Thread(target=lambda: answers.append(get(address, "/slow")))
    asking.start()
    assert app.asked.wait(30)
    server.request_stop()
    app.may_answer.set()
    server.close()
    asking.join(30)
    assert answers == [b"hello"]


def test_an_app_that_does_not_start() -> None:
    """An app that fails to start is an error, and leaves no server behind."""

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no"})

    server = HttpServer(app, listen("127.0.0.1", 0))
    with pytest.raises(RuntimeError, match="did not start"):
        server.start()
    assert not server.is_serving
    server.close()


def test_closing_one_that_never_started() -> None:
    """Closing a server that never started closes its socket."""
    listening = listen("127.0.0.1", 0)
    HttpServer(App(), listening).close()
    assert listening.fileno() == -1


def test_a_port_that_is_taken() -> None:
    """A port that is taken is refused, not shared."""
    with listen("127.0.0.1", 0) as listening, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", listening.getsockname()[1])


def test_an_unknown_name() -> None:
    """A host name that does not resolve is an error like any other of the network."""
    with pytest.raises(socket.gaierror):
        listen("no-such-host.invalid", 0)

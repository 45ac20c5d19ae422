"""A web page of another site gets nothing from a server and changes nothing in it: real requests to a real server."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from google.rpc import status_pb2  # type: ignore[import-untyped]
from starlette.testclient import TestClient
from starlette.types import Message
from starlette.websockets import WebSocketDisconnect
from tests.exporting import finished
from tests.server.api.doubles import backend_with
from tests.server.running import SECONDS, Server

from otel_sessions.server.api.app import create_app
from otel_sessions.server.hosts import AllowedHosts

NAME = "sessions.example.org"
KEY = "open-sesame"
JSON = "application/json"
REBOUND = ("evil.example", "evil.example:4318", "127.0.0.1.nip.io", "0.0.0.0", "", "localhost, evil.example")
READS = ("/v1/sessions", "/v1/sessions/kept", "/v1/live", "/healthz", "/readyz", "/metrics", "/openapi.json", "/none")
SPAN = {"traceId": "1f" * 16, "spanId": "1f" * 8, "name": "forged", "startTimeUnixNano": "1", "endTimeUnixNano": "2"}
FORGED = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [SPAN]}]}]}).encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without a key that also answers to a name."""
    with Server(tmp_path_factory.mktemp("open"), "--allowed-host", NAME) as server:
        assert server.send([finished(1, session="kept")]) == 200
        yield server


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a key."""
    with Server(tmp_path_factory.mktemp("keyed"), "--api-key", KEY) as server:
        yield server


def ask(
    server: Server, method: str, path: str, body: bytes | str | None = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Status, headers and body of an answer; of a stream only its beginning. `_` in names of headers stands for `-`."""
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)) as connection:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        streams = answer.headers.get_content_type() == "text/event-stream"
        return answer.status, answer.headers, answer.readline() if streams else answer.read()


def raw(server: Server, *lines: str) -> bytes:
    """What comes back on a connection of its own for a request of these lines."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as connection:
        connection.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


def kept(server: Server) -> list[tuple[str, int]]:
    """The sessions of a server with their numbers of spans."""
    return [(session["id"], session["span_count"]) for session in server.get("/v1/sessions")["data"]]


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("host", REBOUND)
def test_another_host_is_not_answered(server: Server, host: str, path: str) -> None:
    """A request for a host that is not allowed gets a 421 at every path, which says what to do."""
    status, _, body = ask(server, "GET", path, Host=host)
    error = json.loads(body)["error"]
    assert (status, error["code"]) == (421, "misdirected")
    assert "--allowed-host" in error["message"]


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost.:1", "127.0.0.1", "127.5.5.5:99", "[::1]:4318", NAME, f"{NAME}:443"]
)
def test_this_machine_and_names_that_are_given_are_answered(server: Server, host: str) -> None:
    """Loopback and names of `--allowed-host` are answered, with any port."""
    for path in ("/v1/sessions", "/healthz", "/metrics"):
        assert ask(server, "GET", path, Host=host)[0] == 200


def test_a_rebound_page_changes_nothing(server: Server) -> None:
    """A page whose name resolves to this machine can neither delete nor send, although its own host and origin agree."""
    page = {"Host": "evil.example", "Origin": "http://evil.example"}
    assert ask(server, "DELETE", "/v1/sessions/kept", **page)[0] == 421
    status, _, body = ask(server, "POST", "/v1/traces", FORGED, Content_Type=JSON, **page)
    assert (status, json.loads(body)["code"]) == (421, 7)
    status, _, body = ask(server, "POST", "/v1/traces", b"", Content_Type="application/x-protobuf", **page)
    assert (status, status_pb2.Status.FromString(body).code) == (421, 7)
    assert kept(server) == [("kept", 1)]


def test_requests_without_one_host(server: Server, keyed: Server) -> None:
    """A request without a `Host`, or with several, is refused; a program with the key may leave it out."""
    assert raw(server, "GET /v1/sessions HTTP/1.1").startswith(b"HTTP/1.1 400 ")
    assert raw(server, "GET /v1/sessions HTTP/1.0").startswith(b"HTTP/1.1 400 ")
    assert b'"invalid_host"' in raw(server, "GET /healthz HTTP/1.1", "Host: localhost", "Host: evil.example")
    assert b'"invalid_host"' in raw(keyed, "GET /healthz HTTP/1.1", "Host: localhost", "Host: localhost")
    assert raw(keyed, "GET /v1/sessions HTTP/1.0", f"Authorization: {KEY}").startswith(b"HTTP/1.1 200 ")


FOREIGN: list[dict[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://localhost:1"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "chrome-extension://abc"},
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
]


@pytest.mark.parametrize("page", FOREIGN)
def test_foreign_pages_change_and_stream_nothing(server: Server, page: dict[str, str]) -> None:
    """What changes or streams is refused with a 403 if a page of another origin sends it."""
    for method in ("DELETE", "PUT", "PATCH", "POST"):
        status, _, body = ask(server, method, "/v1/sessions/kept", **page)
        assert (status, json.loads(body)["error"]["code"]) == (403, "foreign_origin")
    assert ask(server, "GET", "/v1/live", **page)[0] == 403
    for path in ("/v1/traces", "/v1/logs", "/v1/metrics"):
        status, _, body = ask(server, "POST", path, FORGED, Content_Type=JSON, **page)
        assert (status, json.loads(body)["code"]) == (403, 7)
    assert kept(server) == [("kept", 1)]


def test_two_origins_are_foreign(server: Server) -> None:
    """A request with two origins is refused, even if one of them is the server's own."""
    host = f"Host: localhost:{server.port}"
    own = f"Origin: http://localhost:{server.port}"
    assert raw(server, "GET /v1/live HTTP/1.1", host, own, "Origin: https://evil.example").startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_forms_send_nothing(server: Server, content_type: str) -> None:
    """What a form can send to another site is refused for its content type, whatever its origin."""
    for path in ("/v1/traces", "/v1/logs", "/v1/metrics"):
        assert ask(server, "POST", path, FORGED, Content_Type=content_type)[0] == 415
    assert kept(server) == [("kept", 1)]


def test_own_pages_and_programs_pass(server: Server) -> None:
    """The server's own pages, also behind a proxy for an allowed name, and programs may change and stream."""
    own = f"127.0.0.1:{server.port}"
    for headers in (
        {},
        {"Sec_Fetch_Site": "none"},
        {"Origin": f"http://{own}", "Sec_Fetch_Site": "same-origin"},
        {"Host": "localhost", "Origin": "http://localhost"},
        {"Host": "localhost:80", "Origin": "http://LOCALHOST"},
        {"Host": NAME, "Origin": f"https://{NAME}"},
        {"Host": own, "Origin": f"https://{NAME}"},
    ):
        assert ask(server, "DELETE", "/v1/sessions/nobody", **headers)[0] == 200
        assert ask(server, "GET", "/v1/live", **headers)[0] == 200
        assert ask(server, "POST", "/v1/traces", b"{}", Content_Type=JSON, **headers)[0] == 200


def test_foreign_pages_may_be_told_nothing_by_reading(server: Server) -> None:
    """A foreign page may send a request that reads, but no header lets it see the answer."""
    status, headers, _ = ask(server, "GET", "/v1/sessions", Origin="https://evil.example")
    assert status == 200
    assert [name for name in headers if name.lower().startswith("access-control-")] == []
    for method in ("DELETE", "POST", "GET"):
        asked = {"Origin": "https://evil.example", "Access_Control_Request_Method": method}
        status, headers, _ = ask(server, "OPTIONS", "/v1/sessions/kept", **asked)
        assert status == 405
        assert [name for name in headers if name.lower().startswith("access-control-")] == []


def test_with_a_key(keyed: Server) -> None:
    """With a key any host is answered, since a foreign page does not have the key; foreign origins stay refused."""
    assert ask(keyed, "GET", "/healthz", Host="evil.example")[0] == 200
    assert ask(keyed, "GET", "/v1/sessions", Host="evil.example")[0] == 401
    assert ask(keyed, "GET", "/v1/sessions", Host="evil.example", Authorization=KEY)[0] == 200
    page = {"Origin": "https://evil.example", "Authorization": KEY}
    assert ask(keyed, "DELETE", "/v1/sessions/any", **page)[0] == 403


def test_with_a_key_and_names(tmp_path: Path) -> None:
    """Names that are given are checked with a key too."""
    with Server(tmp_path, "--api-key", KEY, "--allowed-host", f"a.example,{NAME}") as server:
        for host, expected in ((NAME, 200), ("a.example", 200), ("localhost", 200), ("evil.example", 421)):
            assert ask(server, "GET", "/v1/sessions", Host=host, Authorization=KEY)[0] == expected


ANSWERS = [
    ("GET", "/v1/sessions"),
    ("GET", "/v1/live"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
    ("GET", "/none"),
    ("GET", "/v1/sessions?unknown=1"),
    ("POST", "/v1/traces"),
    ("PUT", "/v1/sessions/a"),
    ("TRACE", "/"),
]
SAFE = {
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}


@pytest.mark.parametrize(("method", "path"), ANSWERS)
@pytest.mark.parametrize("headers", [{}, {"Host": "evil.example"}, {"Origin": "null"}])
def test_headers_of_every_answer(server: Server, method: str, path: str, headers: dict[str, str]) -> None:
    """Every answer, also an error, keeps browsers from storing it, from guessing its type, and from handing it on."""
    _, found, _ = ask(server, method, path, **headers)
    assert {name: found.get_all(name) for name in SAFE} == {name: [value] for name, value in SAFE.items()}


def test_headers_of_what_is_no_http(server: Server) -> None:
    """An answer to what cannot be read as HTTP has the same headers."""
    answer = raw(server, "GET / HTTP/1.1", "Host : localhost").decode().lower()
    assert answer.startswith("http/1.1 400 ")
    assert [name for name, value in SAFE.items() if answer.count(f"\r\n{name}: {value}\r\n") != 1] == []


def test_web_sockets_of_other_hosts_are_closed() -> None:
    """A web socket for another host, or from a foreign page, is closed."""
    backend: Any = backend_with(None)
    client = TestClient(create_app(backend, hosts=AllowedHosts()), base_url="http://localhost")
    for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        with pytest.raises(WebSocketDisconnect) as closed, client.websocket_connect("/v1/live", headers=headers):
            pass
        assert closed.value.code == 1008


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [(["localhost"], 200), ([NAME], 200), (["evil.example"], 421), ([""], 421), ([], 400), (["localhost", NAME], 400)],
)
def test_hosts_of_an_app(hosts: list[str], expected: int) -> None:
    """An app that is told its hosts answers no other, nor a request without one; any app refuses two."""
    assert status_in(create_app(backend_with(None), hosts=AllowedHosts([NAME])), "/healthz", host=hosts) == expected
    answers_all = 400 if len(hosts) > 1 else 200
    assert status_in(create_app(backend_with(None)), "/healthz", host=hosts) == answers_all


@pytest.mark.parametrize(
    ("origin", "site", "expected"),
    [
        ([], [], 404),
        ([], ["none"], 404),
        ([], ["cross-site"], 403),
        (["http://localhost:1"], [], 404),
        (["http://localhost"], [], 403),
        (["null"], [], 403),
        (["http://localhost:1", "http://localhost:1"], [], 403),
        ([f"https://{NAME}"], [], 404),
    ],
)
def test_origins_of_an_app(origin: list[str], site: list[str], expected: int) -> None:
    """An app passes on what its own pages and programs send, here to a path where nothing is, and refuses the rest."""
    app = create_app(backend_with(None), hosts=AllowedHosts([NAME]))
    headers = {"host": ["localhost:1"], "origin": origin, "sec-fetch-site": site}
    assert status_in(app, "/none", "DELETE", **headers) == expected
    assert status_in(create_app(backend_with(None)), "/none", "DELETE", origin=["http://localhost"]) == 403


def status_in(app: FastAPI, path: str, method: str = "GET", **headers: list[str]) -> int:
    """The status that an app in this process answers with; a header may be missing, or be there several times."""
    statuses: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    pairs = [(name.encode(), value.encode()) for name, values in headers.items() for value in values]
    scope = {"path": path, "raw_path": path.encode(), "query_string": b"", "headers": pairs}
    asyncio.run(app({"type": "http", "method": method, "http_version": "1.1", **scope}, receive, send))
    (status,) = statuses
    return status

"""`Client` asks a server over HTTP, and says in one line why there is no answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping

import pytest
from tests.cli.answering import Answer, Answering, Asked, Stream, error, page

from otel_sessions.cli import client as client_module
from otel_sessions.cli.client import Client, NotFoundError, checked_url, session_path
from otel_sessions.cli.errors import FAILED, NOT_FOUND, UNREACHABLE, WRONG_USAGE, CommandError


def answering(answer: Answer, headers: Mapping[str, str] | None = None) -> Answering:
    """A server with the same answer to everything."""
    return Answering(lambda _: answer, headers=headers or {})


def failure(client: Client, path: str = "/v1/sessions") -> tuple[int, str]:
    """The status and the message of a question that fails."""
    with pytest.raises(CommandError) as raised:
        client.get(path)
    return raised.value.status, str(raised.value)


def test_an_answer() -> None:
    """The JSON of an answer is returned, and parameters are encoded."""
    with answering((200, {"data": 1})) as server:
        assert Client(f"{server.url}/").get("/v1/x", {"q": "a&b é"}) == {"data": 1}
    (asked,) = server.asked
    assert (asked.path, asked.parameters) == ("/v1/x", {"q": "a&b é"})
    assert "Authorization" not in asked.headers


@pytest.mark.parametrize("key", ["hush", "with blanks", "schlüssel", "鍵"])
def test_the_api_key(key: str) -> None:
    """The key is sent as a bearer token, outside ASCII as the bytes of UTF-8."""
    with answering((200, {})) as server:
        Client(server.url, api_key=key).get("/")
    sent = server.asked[0].headers["Authorization"]
    assert sent.encode("latin-1").decode() == f"Bearer {key}"


def test_a_key_that_would_forge_a_header() -> None:
    """A key with a line break is refused without showing it."""
    with pytest.raises(CommandError, match="OTEL_SESSIONS_API_KEY") as raised:
        Client("http://127.0.0.1:1", api_key="hush\r\nX: y")
    assert raised.value.status == WRONG_USAGE
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (error(400, "sort=x: expected one of a, b"), WRONG_USAGE, "expected one of a, b"),
        (error(401, "the API key is missing"), FAILED, "set OTEL_SESSIONS_API_KEY"),
        (error(404, "there is no session"), NOT_FOUND, "there is no session"),
        (error(503, "the store is away"), FAILED, "the store is away"),
        ((502, b"<html>"), FAILED, "answers with 502"),
        ((404, b"<html>"), UNREACHABLE, "is no otel-sessions server"),
        ((404, {"detail": "Not Found"}), UNREACHABLE, "is no otel-sessions server"),
        ((404, [1]), UNREACHABLE, "is no otel-sessions server"),
        ((200, b"<html>"), UNREACHABLE, "is no otel-sessions server"),
    ],
)
def test_errors_of_a_server(answer: Answer, status: int, said: str) -> None:
    """Every error has the status that a command ends with, and the server's own message where it has one."""
    with answering(answer) as server:
        found, message = failure(Client(server.url))
    assert found == status
    assert said in message


def test_not_found_has_a_type_of_its_own() -> None:
    """A 404 of the API can be told apart from other errors."""
    with answering(error(404, "none")) as server, pytest.raises(NotFoundError):
        Client(server.url).get("/v1/x")


def test_changes() -> None:
    """Bodies are sent as JSON, with the method and the parameters."""
    with answering((200, {"data": 1})) as server:
        client = Client(server.url)
        assert client.post("/v1/x", {"é": 1}, {"key": "id"}) == {"data": 1}
        assert client.patch("/v1/x", {"name": None}) == {"data": 1}
        assert client.delete("/v1/x", {"content": "only"}) == {"data": 1}
    assert [(asked.method, asked.parameters, asked.body) for asked in server.asked] == [
        ("POST", {"key": "id"}, {"é": 1}),
        ("PATCH", {}, {"name": None}),
        ("DELETE", {"content": "only"}, None),
    ]
    assert server.asked[0].headers["Content-Type"] == "application/json"
    assert "Content-Type" not in server.asked[2].headers


def test_lines_as_they_come() -> None:
    """The lines of a stream are read one after another, and its end is the end."""
    with answering((200, Stream(["a\r\n", "é\n", "c"]))) as server:
        assert list(Client(server.url).lines("/v1/live")) == ["a", "é", "c"]
    with (
        answering(error(401, "the API key is missing")) as server,
        pytest.raises(CommandError, match="wants its API key"),
    ):
        next(Client(server.url).lines("/v1/live"))


def test_a_redirect_is_not_followed() -> None:
    """The API key goes to no other host."""
    with answering((200, {})) as other:
        with answering((302, {}), {"Location": f"{other.url}/v1/sessions"}) as server:
            status, message = failure(Client(server.url, api_key="hush"))
        assert other.asked == []
    assert status == UNREACHABLE
    assert "is no otel-sessions server" in message


def test_no_server() -> None:
    """Where nothing listens, the message names the address and the next step."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    status, message = failure(Client(url))
    assert status == UNREACHABLE
    assert message.startswith(f"no server can be reached at {url} (")
    assert "otel-sessions serve" in message


def test_a_server_that_does_not_answer() -> None:
    """A server that accepts a connection and sends nothing is given up."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        status, message = failure(Client(f"http://127.0.0.1:{silent.getsockname()[1]}", seconds=0.05))
    assert status == UNREACHABLE
    assert "timed out" in message


def test_what_is_not_http() -> None:
    """A port of another protocol, such as that of gRPC, is no server."""
    with socket.create_server(("127.0.0.1", 0)) as other:

        def greet() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"\x00\x00\x18\x04\x00\x00\x00\x00\x00\r\n\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        status, _ = failure(Client(f"http://127.0.0.1:{other.getsockname()[1]}"))
        thread.join()
    assert status == UNREACHABLE


def test_a_proxy_is_not_asked_about_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server on this machine is asked directly, whatever proxy the environment names; another one through the proxy."""
    with answering((200, {"by": "proxy"})) as proxy, answering((200, {"by": "server"})) as server:
        monkeypatch.setenv("http_proxy", proxy.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        assert Client(server.url).get("/") == {"by": "server"}
        assert Client("http://sessions.example:4318").get("/") == {"by": "proxy"}


def test_pages_follow_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list is read page by page until its end, with the same parameters and the cursor of the page before."""

    def answer(asked: Asked) -> Answer:
        return page([{"n": 1}, {"n": 2}], after="next") if "cursor" not in asked.parameters else page([{"n": 3}])

    with Answering(answer) as server:
        client = Client(server.url)
        assert [one["n"] for one in client.items("/v1/sessions", {"key": "id"})] == [1, 2, 3]
        assert [dict(asked.parameters) for asked in server.asked] == [
            {"key": "id", "limit": "1000"},
            {"key": "id", "cursor": "next", "limit": "1000"},
        ]
        assert [one["n"] for one in client.items("/v1/sessions", {}, most=2)] == [1, 2]
        assert server.asked[-1].parameters["limit"] == "2"
        assert list(client.items("/v1/sessions", {}, most=0)) == []
        monkeypatch.setattr(client_module, "PAGE", 2)
        assert [one["n"] for one in client.items("/v1/sessions", {}, most=3)] == [1, 2, 3]
        assert server.asked[-1].parameters["limit"] == "1"


@pytest.mark.parametrize("body", [[], {}, {"data": 1}])
def test_a_list_that_is_none(body: object) -> None:
    """Another program that answers JSON is not taken for a server."""
    with answering((200, body)) as server, pytest.raises(CommandError, match="is no otel-sessions server"):
        list(Client(server.url).items("/v1/sessions", {}))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:4318",
        "https://sessions.example/under/a/path",
        "http://[::1]:4318",
        "http://localhost",
    ],
)
def test_addresses(url: str) -> None:
    """An address may have a path, and a slash at its end."""
    assert checked_url(url) == checked_url(f" {url}/ ") == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:4318",
        "ftp://host",
        "http://",
        "http://user:word@host",
        "http://host?q=1",
        "http://host#x",
        "http://host:99999",
        "http://host:0",
        "http://$(x)",
        'http://host/"',
        "http://host/a b",
        "http://höst",
    ],
)
def test_addresses_that_are_refused(url: str) -> None:
    """Anything else is wrong usage, and the message does not show it, since it may hold a password."""
    with pytest.raises(CommandError, match="--url or OTEL_SESSIONS_URL is not valid") as raised:
        checked_url(url)
    assert raised.value.status == WRONG_USAGE
    assert "word" not in str(raised.value)


def test_paths_of_sessions() -> None:
    """An id is percent-encoded with its slashes."""
    assert session_path("a/b?c") == "/v1/sessions/a%2Fb%3Fc"
    assert session_path(" ", "calls") == "/v1/sessions/%20/calls"


def test_a_reader_that_left() -> None:
    """A pipe that breaks while an answer is written to it is no fault of the server."""
    with (
        Answering(lambda _: (200, b"x")) as double,
        pytest.raises(BrokenPipeError),
        Client(double.url)._open("GET", "/", None, headers={}),
    ):
        raise BrokenPipeError

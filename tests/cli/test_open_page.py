"""`otel-sessions open` opens a page in the browser, or prints its address."""

from __future__ import annotations

import webbrowser
from collections.abc import Iterator

import pytest
from tests.cli.answering import Answer, Answering, Asked, error, page
from tests.cli.sending import a_session
from tests.cli.terminal import in_pipe


def answer(asked: Asked) -> Answer:
    """A server with one session."""
    if asked.path.startswith("/v1/sessions/order%2F7"):
        return 200, {"data": a_session("order/7")}
    return page([a_session("order/7")]) if asked.path in ("/v1/sessions", "/v1/keys") else error(404, "none")


@pytest.fixture
def double() -> Iterator[Answering]:
    """A server with one session."""
    with Answering(answer) as double:
        yield double


def test_in_a_browser(double: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address is opened, and said on stderr."""
    opened: list[str] = []

    def open_(address: str) -> bool:
        opened.append(address)
        return True

    monkeypatch.setattr(webbrowser, "open", open_)
    ran = in_pipe("open", "last", "--url", double.url)
    assert (ran.status, ran.out) == (0, "")
    assert opened == [f"{double.url}/sessions/order%2F7"]
    assert ran.error == f"opened {opened[0]}"


@pytest.mark.parametrize(
    ("arguments", "path"),
    [((), "/"), (("order",), "/sessions/order%2F7"), (("order/7", "--key", "a b"), "/sessions/order%2F7?key=a+b")],
)
def test_without_a_browser(
    double: Answering, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], path: str
) -> None:
    """Where there is no browser, or none is wanted, the address is printed."""

    def none(_: str) -> bool:
        raise webbrowser.Error

    monkeypatch.setattr(webbrowser, "open", none)
    for more in ((), ("--no-browser",)):
        ran = in_pipe("open", *arguments, *more, "--url", double.url)
        assert (ran.status, ran.out, ran.err) == (0, f"{double.url}{path}\n", "")


def test_no_server() -> None:
    """A page of a server that does not run is not opened."""
    ran = in_pipe("open", "--url", "http://127.0.0.1:1")
    assert (ran.status, ran.out) == (4, "")

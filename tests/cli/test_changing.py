"""`score`, `annotate`, `rename` and `rm` change a session, and say what they did."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from tests.cli.answering import Answer, Answering, Asked, error, page
from tests.cli.sending import a_session
from tests.cli.terminal import Screen, in_pipe, in_terminal

TRACE, SPAN = "0" * 31 + "1", "0" * 15 + "2"


def answer(asked: Asked) -> Answer:
    """A server with one session, which takes every change."""
    if asked.path == "/v1/sessions":
        return page([a_session("ticket-1", name="Order 1042")])
    if not asked.path.startswith("/v1/sessions/ticket-1"):
        return error(404, "there is no session", "not_found")
    if asked.method == "GET":
        return 200, {"data": a_session("ticket-1", name="Order 1042", span_count=1_200)}
    return 200, {"data": {"id": "ticket-1", "span_count": 1_200, "log_record_count": 3}}


@pytest.fixture
def double() -> Iterator[Answering]:
    """A server with one session."""
    with Answering(answer) as double:
        yield double


def changed(double: Answering, *arguments: str, said: str) -> tuple[str, str, dict[str, str], Any]:
    """The request of a command that says this."""
    ran = in_pipe(*arguments, "--url", double.url)
    assert (ran.status, ran.err, ran.out) == (0, "", f"{said}\n")
    asked = double.asked[-1]
    return asked.method, asked.path, dict(asked.parameters), asked.body


@pytest.mark.parametrize(
    ("arguments", "body", "said"),
    [
        (("correct", "0.8"), {"name": "correct", "value": 0.8}, "correct 0.8"),
        (("correct", "--label", "pass"), {"name": "correct", "label": "pass"}, "correct pass"),
        (
            ("correct", "1", "--comment", "why", "--trace", TRACE, "--span", SPAN),
            {"name": "correct", "value": 1.0, "comment": "why", "trace_id": TRACE, "span_id": SPAN},
            "correct 1",
        ),
        (("--", "correct", "-1"), {"name": "correct", "value": -1.0}, "correct -1"),
    ],
)
def test_score(double: Answering, arguments: tuple[str, ...], body: object, said: str) -> None:
    """A score has a value, a label or both, and may be of a trace or a span."""
    ran = in_pipe("score", "--url", double.url, "ticket", *arguments)
    assert (ran.status, ran.out) == (0, f"scored ticket-1: {said}\n")
    asked = double.asked[-1]
    assert (asked.method, asked.path, asked.parameters) == ("POST", "/v1/sessions/ticket-1/scores", {"key": "id"})
    assert asked.body == body


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("score", "s", "correct"), "give one of them"),
        (("score", "s", "correct", "nan"), "is no number"),
        (("score", "s", "correct", "inf"), "is no number"),
        (("score", "s", "correct", "good"), "words as --label"),
        (("score", "s", "correct", "1", "--span", SPAN), "--span needs --trace"),
        (("annotate", "s", " "), "the note is empty"),
        (("rename", "s"), "one of them"),
        (("rename", "s", "name", "--clear"), "one of them"),
    ],
)
def test_wrong_usage(double: Answering, arguments: tuple[str, ...], said: str) -> None:
    """What makes no sense is told before the server is asked."""
    ran = in_pipe(*arguments, "--url", double.url)
    assert (ran.status, ran.out, double.asked) == (2, "", [])
    assert said in ran.error


def test_annotate(double: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    """A note is an argument, or comes from stdin."""
    path = "/v1/sessions/ticket-1/annotations"
    found = changed(double, "annotate", "last", "look here", said="added a note to ticket-1")
    assert found == ("POST", path, {"key": "id"}, {"text": "look here"})
    monkeypatch.setattr(sys, "stdin", io.StringIO("from a file\n"))
    ran = in_terminal(monkeypatch, 80, "annotate", "last", "-", "--json", "--url", double.url)
    assert json.loads(ran.out)["id"] == "ticket-1"
    assert double.asked[-1].body == {"text": "from a file"}


def test_rename(double: Answering) -> None:
    """A name is given, and taken back with --clear."""
    path = "/v1/sessions/ticket-1"
    assert changed(double, "rename", "ticket-1", "A \x1b", said="ticket-1 is named A \\x1b") == (
        "PATCH",
        path,
        {"key": "id"},
        {"name": "A \x1b"},
    )
    found = changed(double, "rename", "ticket-1", "--clear", said="took back the name of ticket-1")
    assert found == ("PATCH", path, {"key": "id"}, {"name": None})


def test_rm(double: Answering) -> None:
    """A session is deleted with --yes, or only what was said in it."""
    path = "/v1/sessions/ticket-1"
    said = "deleted ticket-1 (1,200 spans, 3 log records)"
    assert changed(double, "rm", "ticket-1", "--yes", said=said) == ("DELETE", path, {"key": "id"}, None)
    said = "deleted messages, inputs and outputs of ticket-1 (1,200 spans, 3 log records)"
    found = changed(double, "rm", "ticket-1", "-y", "--content-only", said=said)
    assert found == ("DELETE", path, {"key": "id", "content": "only"}, None)


def test_rm_in_a_pipe(double: Answering) -> None:
    """Without a terminal nothing is deleted unless --yes is given."""
    ran = in_pipe("rm", "ticket-1", "--url", double.url)
    assert (ran.status, ran.out) == (2, "")
    assert "nothing was deleted: give --yes" in ran.error
    assert {asked.method for asked in double.asked} == {"GET"}


class Typed(io.StringIO):
    """Stdin that is a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


@pytest.mark.parametrize(("typed", "status", "methods"), [("y\n", 0, {"GET", "DELETE"}), ("n\n", 1, {"GET"})])
def test_rm_on_a_terminal(
    double: Answering, monkeypatch: pytest.MonkeyPatch, typed: str, status: int, methods: set[str]
) -> None:
    """A terminal is asked, with the name of the session and how much it is."""
    written = io.BytesIO()
    with monkeypatch.context() as terminal:
        terminal.setattr(sys, "stdin", Typed(typed))
        terminal.setattr(sys, "__stdin__", sys.stdin)
        screen = Screen(written, write_through=True)
        ran = in_terminal(terminal, 80, "rm", "ticket-1", "--url", double.url, stderr=screen)
    assert ran.status == status
    assert "Delete all of ticket-1 (Order 1042), 1,200 spans? [y/N]" in written.getvalue().decode()
    assert {asked.method for asked in double.asked} == methods


def test_no_such_session(double: Answering) -> None:
    """Nothing is changed of a session that does not exist."""
    for arguments in (("score", "x", "a", "1"), ("annotate", "x", "a"), ("rename", "x", "a"), ("rm", "x", "--yes")):
        assert in_pipe(*arguments, "--url", double.url).status == 3
    assert {asked.method for asked in double.asked} == {"GET"}

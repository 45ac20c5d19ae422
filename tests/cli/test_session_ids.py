"""A session is named by its id, by the beginning of its id, or as the last one."""

from __future__ import annotations

from typing import Any

import pytest
from tests.cli.answering import Answer, Answering, Asked, error, page

from otel_sessions.cli.client import Client, session_path
from otel_sessions.cli.errors import NOT_FOUND, WRONG_USAGE, CommandError
from otel_sessions.cli.session_ids import in_session

IDS = ("ticket-1", "ticket-12", "order/7", "TICKET-9", "ticket-3", "ticket-4", "ticket-5")


def answer(asked: Asked) -> Answer:
    """A server with these sessions, the last of which were active last."""
    if asked.path == "/v1/sessions":
        wanted = asked.parameters.get("q", "").lower()
        found = [{"id": one} for one in reversed(IDS) if wanted in one.lower()]
        return page(found[: int(asked.parameters["limit"])])
    if asked.path in {session_path(one, "calls") for one in IDS}:
        return 200, {"data": asked.path}
    return error(404, "there is no session", "not_found")


def calls_of(client: Client, given: str) -> Any:
    """What is answered about the calls of a session that is named so."""
    return in_session(client, given, "id", lambda one: client.get(session_path(one, "calls")))["data"]


def found(given: str) -> Any:
    """The path that is asked for the calls of a session that is named so."""
    with Answering(answer) as server:
        return calls_of(Client(server.url), given)


@pytest.mark.parametrize(
    ("given", "session_id"),
    [
        ("ticket-1", "ticket-1"),  # an id, though another one begins with it
        ("ticket-12", "ticket-12"),
        ("ord", "order/7"),
        ("TI", "TICKET-9"),
        ("last", "ticket-5"),
    ],
)
def test_names_of_a_session(given: str, session_id: str) -> None:
    """An id comes before a beginning, and upper and lower case differ, as they do in ids."""
    assert found(given) == session_path(session_id, "calls")


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        ("ticket", WRONG_USAGE, "ticket-5, ticket-4, ticket-3, …; give more characters"),
        ("icket", NOT_FOUND, "none whose id begins so"),
        ("", WRONG_USAGE, "is empty"),
        (" ", WRONG_USAGE, "is empty"),
    ],
)
def test_names_that_are_no_sessions(given: str, status: int, said: str) -> None:
    """A beginning of several ids, and one of none, are refused with the next step."""
    with pytest.raises(CommandError, match=said) as raised:
        found(given)
    assert raised.value.status == status


def test_two_sessions() -> None:
    """The message names all sessions if there are few."""

    def two(asked: Asked) -> Answer:
        return page([{"id": "a1"}, {"id": "a2"}]) if asked.path == "/v1/sessions" else error(404, "none")

    with Answering(two) as server, pytest.raises(CommandError, match="with 'a': a1, a2; give"):
        calls_of(Client(server.url), "a")


def test_last_of_none() -> None:
    """An empty server has no last session."""
    with Answering(lambda _: page([])) as server, pytest.raises(CommandError, match="no sessions with the key 'id'"):
        in_session(Client(server.url), "last", "id", str)


def test_a_server_of_an_older_version() -> None:
    """If a session exists and the server has no such path, the message says that, not that the session is missing."""

    def old(asked: Asked) -> Answer:
        return page([{"id": "ticket-1"}]) if asked.path == "/v1/sessions" else error(404, "there is no session")

    with Answering(old) as server, pytest.raises(CommandError, match="older version"):
        calls_of(Client(server.url), "ticket-1")

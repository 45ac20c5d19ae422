"""`in_session`: an answer about the session that a person names by its id, the beginning of its id, or `last`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice
from typing import Annotated, Any, Final, TypeVar

import typer

from otel_sessions.cli.client import Client, NotFoundError, session_path
from otel_sessions.cli.completion import completed_ids
from otel_sessions.cli.errors import NOT_FOUND, WRONG_USAGE, CommandError

LAST: Final = "last"
"""Names the session that was last active."""

SHOWN: Final = 3
"""How many sessions a message names."""

Answer = TypeVar("Answer")

SessionArgument = Annotated[
    str,
    typer.Argument(metavar="ID", help="The session: its id, a beginning of it, or last.", autocompletion=completed_ids),
]


def in_session(client: Client, given: str, key: str, ask: Callable[[str], Answer]) -> Answer:
    """What `ask` answers for the id of the session.

    Args:
        client: the server.
        given: the id, or a beginning that no other id has, or `last`.
        key: the session key.
        ask: gets the id; raises `NotFoundError` if the server does not have that session.

    Raises:
        CommandError: there is no such session, or there are several.
    """
    wanted = _last(client, key) if given == LAST else given
    try:
        return ask(wanted)
    except NotFoundError:
        found = [wanted] if given == LAST else _beginning_with(client, given, key)
        if found == [wanted]:
            raise CommandError(f"the server at {client.url} does not answer this; is it of an older version?") from None
    if not found:
        raise CommandError(
            f"there is no session with {key} = {given!r}, and none whose id begins so; see: otel-sessions list",
            status=NOT_FOUND,
        )
    if len(found) > 1:
        several = ", ".join(found[:SHOWN]) + (", …" if len(found) > SHOWN else "")
        raise CommandError(
            f"several sessions begin with {given!r}: {several}; give more characters", status=WRONG_USAGE
        )
    return ask(found[0])


def part_of(
    client: Client,
    session_id: str,
    part: str,
    key: str,
    parameters: Mapping[str, str] | None = None,
    *,
    most: int | None = None,
) -> Iterator[dict[str, Any]]:
    """The items of a part of a session, such as `calls`. The first page is read at once, so that an unknown session is told at once.

    Raises:
        NotFoundError: there is no such session.
    """
    items = client.items(session_path(session_id, part), {"key": key, **(parameters or {})}, most=most)
    for first in items:
        return chain([first], items)
    return iter(())


def found_session(client: Client, given: str, key: str) -> dict[str, Any]:
    """The session that a person names.

    Raises:
        CommandError: there is no such session, or there are several.
    """
    answer = in_session(client, given, key, lambda session_id: client.get(session_path(session_id), {"key": key}))
    session: dict[str, Any] = answer["data"]
    return session


def _last(client: Client, key: str) -> str:
    for session in client.items("/v1/sessions", {"key": key, "sort": "last_active"}, most=1):
        return str(session["id"])
    raise CommandError(f"there are no sessions with the key {key!r} yet", status=NOT_FOUND)


def _beginning_with(client: Client, given: str, key: str) -> list[str]:
    """Ids that begin with the given text: the text itself if it is one, else the first few."""
    if not given.strip():
        raise CommandError("the id of the session is empty; see: otel-sessions list", status=WRONG_USAGE)
    # The search ignores case and looks anywhere in ids and names; what it finds is more than what is wanted.
    sessions = client.items("/v1/sessions", {"key": key, "q": given, "sort": "last_active"})
    ids = (str(session["id"]) for session in sessions)
    found = list(islice((one for one in ids if one.startswith(given)), SHOWN + 1))
    return [given] if given in found else found

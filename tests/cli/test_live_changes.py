"""`LiveChanges` tells of every change once, also when the server goes away and comes back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, cast

import pytest
from tests.cli.sending import a_session

from otel_sessions.cli import live_changes
from otel_sessions.cli.client import Client, NotFoundError, UnreachableError
from otel_sessions.cli.errors import CommandError
from otel_sessions.cli.live_changes import FIRST_PAUSE, LONGEST_PAUSE, LiveChanges

Step = str | Callable[[], object] | Exception


def event(*ids: str, key: str = "id", more: bool = False) -> str:
    """The line of an event that names sessions."""
    return "data: " + json.dumps({"sessions": [{"key": key, "id": one} for one in ids], "more": more})


class Changing:
    """A client of a server whose sessions change while its streams are read, step by step.

    Attributes:
        streams: a connection to `/v1/live` each. A step is a line, a change, or an error that ends the stream.
        sessions: as they are, those last active last.
    """

    url = "http://127.0.0.1:4318"

    def __init__(self, *streams: Sequence[Step]) -> None:
        self.streams = iter(streams)
        self.sessions: dict[str, dict[str, Any]] = {}

    def put(self, *ids: str, **more: Any) -> Callable[[], None]:
        """A step that changes sessions."""

        def step() -> None:
            for one in ids:
                self.sessions.pop(one, None)
                self.sessions[one] = a_session(one, **{"start": "2026-11-20T11:00:00.000Z", **more})

        return step

    def lines(self, path: str, parameters: Mapping[str, str]) -> Iterator[str]:
        """The lines of the next stream."""
        assert (path, parameters) == ("/v1/live", {"key": "id"})
        for step in next(self.streams):
            if isinstance(step, Exception):
                raise step
            if isinstance(step, str):
                yield step
            else:
                step()

    def get(self, path: str, _: Mapping[str, str]) -> Any:
        """One session."""
        found = self.sessions.get(path.rpartition("/")[2])
        if found is None:
            raise NotFoundError("there is no session")
        return {"data": {**found, "traces": {}}}

    def items(self, path: str, parameters: Mapping[str, str], *, most: int) -> Iterator[dict[str, Any]]:
        """The sessions last active."""
        assert (path, parameters["sort"]) == ("/v1/sessions", "last_active")
        return islice(reversed(self.sessions.values()), most)


def followed(server: Changing, number: int, *, last: int = 0) -> tuple[list[tuple[Any, str]], list[str], list[float]]:
    """The first changes with their sessions, what was said meanwhile, and how long the pauses were."""
    told: list[str] = []
    pauses: list[float] = []
    changes = LiveChanges(cast("Client", server), "id", told=told.append, pause=pauses.append)
    found = [(one["change"], one["id"]) for one in islice(changes.follow(last=last), number)]
    return found, told, pauses


def test_changes() -> None:
    """First those last active, the oldest first, then each that is new, changed or deleted; of another key none."""
    server = Changing()
    server.put("a", "b", "c")()
    steps: list[Step] = [
        ":",
        server.put("d"),
        event("d"),
        event("d"),  # nothing changed in between
        server.put("a", call_count=1),
        event("a", "x"),
        event("z", key="import"),
        ":",
        lambda: server.sessions.pop("b"),
        event("b"),
    ]
    server.streams = iter([steps])
    found, told, _ = followed(server, 5, last=2)
    assert found == [(None, "b"), (None, "c"), ("new", "d"), ("changed", "a"), ("deleted", "b")]
    assert told == []


def test_more_changes_than_an_event_names() -> None:
    """Then the sessions that were last active are compared."""
    server = Changing()
    server.put("a")()
    server.streams = iter([[":", server.put("b", "c"), event(more=True)]])
    assert followed(server, 2)[0] == [("new", "b"), ("new", "c")]


def test_a_server_that_comes_back() -> None:
    """What changed without a connection is told after it; the outage is said once, and its end."""
    server = Changing()
    server.put("a")()
    away = UnreachableError("no server can be reached; start one")
    server.streams = iter(
        [
            [":", away],
            *[[away]] * 6,
            [server.put("b"), server.put("a", call_count=3), ":"],
            [":", server.put("c"), event("c")],
        ]
    )
    found, told, pauses = followed(server, 3)
    assert found == [("new", "b"), ("changed", "a"), ("new", "c")]
    assert told == [
        "no server can be reached; trying again until it answers, Ctrl-C ends",
        "connected again to http://127.0.0.1:4318",
        "http://127.0.0.1:4318 ended the connection; trying again until it answers, Ctrl-C ends",
        "connected again to http://127.0.0.1:4318",
    ]
    assert all(0 < pause <= LONGEST_PAUSE for pause in pauses)
    assert pauses[6] > FIRST_PAUSE


def test_a_server_that_is_not_there_at_the_start() -> None:
    """Nothing is followed that never answered."""
    with pytest.raises(UnreachableError):
        followed(Changing([UnreachableError("away")]), 1)


def test_a_server_that_refuses() -> None:
    """A refusal is no outage, so it is not tried again."""
    with pytest.raises(CommandError, match="wants its API key"):
        followed(Changing([":"], [CommandError("the server wants its API key")]), 1)


def test_a_session_that_wakes_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that began before those that were compared at the start is not new."""
    monkeypatch.setattr(live_changes, "SESSIONS", 2)
    server = Changing()
    server.put("a", "b")()
    old = server.put("old", start="2026-11-01T11:00:00.000Z")
    server.streams = iter([[":", old, event("old"), server.put("new"), event("new")]])
    assert followed(server, 2)[0] == [("changed", "old"), ("new", "new")]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that was forgotten is told of again."""
    monkeypatch.setattr(live_changes, "KEPT", 2)
    server = Changing()
    server.put("a")()
    server.streams = iter([[":", server.put("b", "c"), event("b", "c"), event("c"), event("a")]])
    assert followed(server, 3)[0] == [("new", "b"), ("new", "c"), ("new", "a")]

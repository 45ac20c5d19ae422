"""`Arrivals` tells what came to a server since it was made, and nothing that was there before."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.cli.answering import Answer, Answering, Asked, error, page
from tests.cli.sending import a_call, a_session

from otel_sessions.cli.client import Client
from otel_sessions.cli.errors import CommandError
from otel_sessions.cli.first_record import SESSIONS, Arrival, Arrivals


def records(service: str, spans: int = 0, logs: int = 0) -> dict[str, Any]:
    """What of a service is in no session."""
    return {"service": service, "span_count": spans, "log_record_count": logs, "hint": "set session.id"}


@dataclass
class Store:
    """What a server has; the test changes it while a command looks.

    Attributes:
        sessions: by session key, the last active first.
        unassigned: by service.
        calls: what the server answers about the calls of any session.
    """

    sessions: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"id": []})
    unassigned: list[dict[str, Any]] = field(default_factory=list)
    calls: Answer = (404, {"error": {"code": "not_found", "message": "nothing at this path"}})

    def answer(self, asked: Asked) -> Answer:
        """The answer to a request."""
        wanted = asked.parameters
        if asked.path == "/v1/keys":
            return page([{"key": key} for key in self.sessions])
        if asked.path == "/v1/unassigned":
            return page(self.unassigned)
        if asked.path == "/v1/sessions":
            found = [
                one
                for one in self.sessions[wanted["key"]]
                if "service" not in wanted or wanted["service"] in one["services"]
            ]
            return page(found[: int(wanted["limit"])])
        return self.calls


def came(store: Store, change: Any, *services: str) -> Arrival | None:
    """What is told after a change of what a server has."""
    with Answering(store.answer) as server:
        arrivals = Arrivals(Client(server.url), services)
        assert arrivals.first(0) is None
        change()
        return arrivals.first(0)


def test_a_new_session() -> None:
    """A session of the service that was not there is what came; the sessions of others are not."""
    store = Store({"id": [a_session("old", services=["agent"], span_count=7)]})

    def change() -> None:
        new = a_session("new", services=["agent", "tools"], span_count=3, call_count=1)
        store.sessions["id"][:0] = [a_session("other"), new]

    assert came(store, change, "agent") == Arrival("agent", "id", "new", ("traces",), 3, None, 1)


def test_more_of_a_session() -> None:
    """A session that was there counts with what came since."""
    session = a_session("old", span_count=7, call_count=2)
    store = Store({"id": [session]})

    def change() -> None:
        store.sessions["id"] = [a_session("old", span_count=9, call_count=3)]

    assert came(store, change) == Arrival("web", "id", "old", ("traces",), 2, None, 1)


def test_a_session_of_another_key() -> None:
    """Sessions of every session key are looked at."""
    store = Store()

    def change() -> None:
        store.sessions["import"] = [a_session("i1", span_count=1)]

    found = came(store, change)
    assert found is not None
    assert (found.key, found.session_id) == ("import", "i1")


@pytest.mark.parametrize(
    ("spans", "more", "calls", "signals"),
    [
        (2, {"log_record_count": 3}, None, ("traces", "logs")),
        (2, {"log_record_count": 0}, None, ("traces",)),
        (0, {}, None, ("logs",)),
        (2, {}, [a_call(evidence=["span"]), a_call(1, evidence=["log"])], ("traces", "logs")),
        (2, {}, [a_call()], ("traces",)),
    ],
)
def test_signals(spans: int, more: dict[str, Any], calls: list[Any] | None, signals: tuple[str, ...]) -> None:
    """What tells of signals: the session's counts, else what tells of its calls, else that there are no spans."""
    store = Store()
    if calls is not None:
        store.calls = page(calls)

    def change() -> None:
        store.sessions["id"] = [a_session("new", span_count=spans, **more)]

    found = came(store, change)
    assert found is not None
    assert found.signals == signals
    assert found.log_record_count == more.get("log_record_count")


@pytest.mark.parametrize(
    ("spans", "logs", "signals"), [(2, 1, ("traces", "logs")), (1, 0, ("traces",)), (0, 3, ("logs",))]
)
def test_records_without_a_session(spans: int, logs: int, signals: tuple[str, ...]) -> None:
    """Records that are in no session have come too, with a hint."""
    store = Store(unassigned=[records("agent", 5, 5), records("web", 1, 1)])

    def change() -> None:
        store.unassigned = [records("web", 9, 9), records("agent", 5 + spans, 5 + logs)]

    assert came(store, change, "agent") == Arrival("agent", None, None, signals, spans, logs, None, "set session.id")


def test_a_deletion_is_no_arrival() -> None:
    """When a session of a full page is deleted, the one that takes its place is as old as before."""
    ends = [f"2026-11-20T12:00:{59 - place:02}.000Z" for place in range(SESSIONS + 1)]
    store = Store({"id": [a_session(f"s{place}", end=end) for place, end in enumerate(ends)]})

    def delete() -> None:
        del store.sessions["id"][3]

    assert came(store, delete) is None

    def add() -> None:
        store.sessions["id"].insert(0, a_session("new", end="2026-11-20T12:01:00.000Z"))

    found = came(store, add)
    assert found is not None
    assert found.session_id == "new"


def test_it_looks_until_something_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks again after a pause, and ends with the first record."""
    store = Store()
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            store.unassigned = [records("web", 1)]

    monkeypatch.setattr(time, "sleep", pause)
    with Answering(store.answer) as server:
        found = Arrivals(Client(server.url), ()).first(3_600)
    assert found is not None
    assert pauses == [1.0, 1.0, 1.0]


def test_a_server_that_is_gone() -> None:
    """It ends with the error of a server that cannot be asked any more."""
    with Answering(Store().answer) as server:
        arrivals = Arrivals(Client(server.url), ())
        server.answer = lambda _: error(503, "the store is away")
        with pytest.raises(CommandError, match="the store is away"):
            arrivals.first(60)

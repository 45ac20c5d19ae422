"""`Arrivals`: what comes to a server from now on."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any, Final

from otel_sessions.cli.client import PAGE, Client, session_path
from otel_sessions.cli.errors import CommandError
from otel_sessions.timestamps import parse_time

POLL_SECONDS: Final = 1.0
SESSIONS: Final = 50
"""How many sessions of a service, those that were last active, are compared with those of the start."""

KEYS: Final = 20
"""How many session keys are looked at."""

_COUNTS: Final = ("span_count", "log_record_count", "call_count")


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came first.

    Attributes:
        service: the service name that it came with, or several.
        key: the session key of the session that it is in, `None` for none.
        session_id: the id of that session.
        signals: `traces`, `logs`, or both, as far as the server tells.
        span_count: how many spans came.
        log_record_count: how many log records came, `None` if the server does not tell.
        call_count: how many model calls they tell of, `None` if they are in no session.
        hint: what would give them a session, `None` if they have one.
    """

    service: str
    key: str | None
    session_id: str | None
    signals: tuple[str, ...]
    span_count: int
    log_record_count: int | None
    call_count: int | None
    hint: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The fields, for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _State:
    """What a server has of some services.

    Attributes:
        sessions: those last active, by session key and id.
        unassigned: what is in no session, by service.
        oldest: the end of the last of these sessions if there may be more, else `None`.
    """

    sessions: Mapping[tuple[str, str], Mapping[str, Any]]
    unassigned: Mapping[str, Mapping[str, Any]]
    oldest: int | None


class Arrivals:
    """Compares what a server has now with what it had when this was made."""

    def __init__(self, client: Client, services: Sequence[str]) -> None:
        """Remember what the server has.

        Args:
            client: the server.
            services: whose records are meant; empty for any.

        Raises:
            CommandError: the server cannot be asked.
        """
        self._client = client
        self._services = services
        self._before = self._state()

    def first(self, seconds: float) -> Arrival | None:
        """Wait for something that came since the start; `None` if nothing does within the given number of seconds.

        Raises:
            CommandError: the server cannot be asked any more.
        """
        end = time.monotonic() + seconds
        while True:
            found = self._new(self._state())
            left = end - time.monotonic()
            if found is not None or left <= 0:
                return found
            time.sleep(min(POLL_SECONDS, left))

    def _state(self) -> _State:
        sessions: dict[tuple[str, str], Mapping[str, Any]] = {}
        ends: list[int] = []
        keys = [str(one["key"]) for one in self._client.items("/v1/keys", {}, most=KEYS)]
        for key, service in product(keys, self._services or ("",)):
            wanted = {"key": key, "sort": "last_active", **({"service": service} if service else {})}
            page = list(self._client.items("/v1/sessions", wanted, most=SESSIONS))
            sessions.update(((key, str(one["id"])), one) for one in page)
            if len(page) == SESSIONS:
                ends.append(parse_time(page[-1]["end"]) or 0)
        unassigned = {
            str(one["service"]): one
            for one in self._client.items("/v1/unassigned", {})
            if not self._services or one["service"] in self._services
        }
        return _State(sessions, unassigned, max(ends, default=None))

    def _new(self, now: _State) -> Arrival | None:
        for name, session in now.sessions.items():
            before = self._before.sessions.get(name)
            if before is None:
                # When a session is deleted, one that is as old as all before it takes its place in the page.
                if self._before.oldest is None or (parse_time(session["end"]) or 0) > self._before.oldest:
                    return self._in_session(name, session, {})
            elif any(session.get(count) != before.get(count) for count in (*_COUNTS, "end")):
                return self._in_session(name, session, before)
        for service, records in now.unassigned.items():
            before = self._before.unassigned.get(service, {})
            spans, logs = (records[name] - before.get(name, 0) for name in ("span_count", "log_record_count"))
            if spans > 0 or logs > 0:
                signals = tuple(name for name, count in (("traces", spans), ("logs", logs)) if count > 0)
                return Arrival(service, None, None, signals, max(spans, 0), max(logs, 0), None, str(records["hint"]))
        return None

    def _in_session(self, name: tuple[str, str], session: Mapping[str, Any], before: Mapping[str, Any]) -> Arrival:
        spans, logs, calls = (
            None if session.get(count) is None else max(0, session[count] - (before.get(count) or 0))
            for count in _COUNTS
        )
        services = [one for one in session["services"] if not self._services or one in self._services]
        signals = self._signals(name, spans or 0, logs)
        return Arrival(", ".join(services), *name, signals, spans or 0, logs, calls)

    def _signals(self, name: tuple[str, str], spans: int, logs: int | None) -> tuple[str, ...]:
        evidence: set[str] = set()
        if logs is None:
            key, session_id = name
            # A server of an older version does not list calls.
            with suppress(CommandError):
                for call in self._client.items(session_path(session_id, "calls"), {"key": key}, most=PAGE):
                    evidence.update(call["evidence"])
        has_logs = bool(logs) or "log" in evidence or not spans
        return (*(("traces",) if spans else ()), *(("logs",) if has_logs else ()))

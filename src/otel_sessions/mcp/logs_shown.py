"""Log records as answers show them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final

from otel_sessions.mcp.asking import Ask, MissingError
from otel_sessions.mcp.nearby import of_session
from otel_sessions.mcp.refs import LogRef, SessionRef
from otel_sessions.mcp.rooms import Call, Room
from otel_sessions.mcp.session_shown import reading
from otel_sessions.timestamps import format_time, parse_time

NO_TIME: Final = "1970-01-01T00:00:00.000Z"
PAGE: Final = 1_000


def log_rows(logs: Sequence[Mapping[str, Any]], session: SessionRef, room: Room) -> list[dict[str, Any]]:
    """The rows of a page of log records."""
    return [log_shown(log, log_ref(log, session), room) for log in logs]


def log_ref(log: Mapping[str, Any], session: SessionRef) -> LogRef:
    """The id of a log record."""
    digest = blake2b(json.dumps(log, sort_keys=True).encode(), digest_size=8).hexdigest()
    return LogRef(session, log["time"] or NO_TIME, digest)


def log_shown(log: Mapping[str, Any], ref: LogRef, room: Room) -> dict[str, Any]:
    """A log record of a list."""
    told: dict[str, Any] = {"id": str(ref), "time": log["time"]}
    for name in ("severity_text", "event_name", "service"):
        if log[name] is not None:
            told[name] = room.text(log[name], reading(ref, name))
    if log["trace_id"] and log["span_id"]:
        told["span"] = f"span:{log['trace_id']}/{log['span_id']}"
    if log["body"] is not None:
        told["body"] = room.text(log["body"], reading(ref, "body"))
    if log["attributes"]:
        told["attributes"] = room.map(
            {
                name: room.text(value, reading(ref, f"attributes.{name}"))
                for name, value in log["attributes"].items()
                if len(name) <= 200
            },
            reading(ref, "attributes"),
        )
    return told


def log_of(ask: Ask, ref: LogRef) -> Mapping[str, Any]:
    """The log record that an id names.

    Raises:
        MissingError: the session does not have it.
    """
    at = parse_time(ref.time)
    offset: int | None = None if at is None else 0
    while at is not None and offset is not None:
        query = {"since": ref.time, "until": format_time(at + 1), "limit": str(PAGE), "offset": str(offset)}
        page = of_session(ask, ref.session, "logs", query)
        for log in page["data"]:
            if log_ref(log, ref.session) == ref:
                found: Mapping[str, Any] = log
                return found
        offset += len(page["data"])
        offset = offset if page["data"] and offset < page["pagination"]["total"] else None
    raise MissingError(
        f"the session has no such log record at {ref.time[:40]}",
        [Call("get_session", {"id": str(ref.session), "part": "logs"})],
    )

"""A session as answers show it: its numbers as REST gives them, its lists and texts as far as there is room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from otel_sessions.mcp.refs import SessionRef
from otel_sessions.mcp.rooms import Call, Room

GET_PAYLOAD: Final = "get_payload"

_OF_LIST: Final = (
    "status",
    "start",
    "end",
    "duration_ms",
    "trace_count",
    "failed_trace_count",
    "failure_rate",
    "span_count",
    "call_count",
    "unpriced_call_count",
    "total_tokens",
    "total_cost",
    "cost_exact",
)
"""What a list tells of each session, besides its texts: every measure and how exact it is."""

_NAMES: Final = ("services", "environments", "user_ids", "tags")
_TEXTS: Final = ("title", "name", "first_input", "last_output")


def reading(ref: object, field: str, offset: int | None = None) -> Call:
    """The call that reads a field whole."""
    return Call(GET_PAYLOAD, {"id": str(ref), "field": field, "offset": offset})


def listed(session: Mapping[str, Any], room: Room) -> dict[str, Any]:
    """A session of a list."""
    ref = SessionRef(str(session["key"]), str(session["id"]))
    told: dict[str, Any] = {"id": str(ref)}
    told |= {name: session.get(name) for name in _OF_LIST}
    told |= {name: room.text(session.get(name), reading(ref, name)) for name in _TEXTS}
    models = [use["model"] for use in session.get("models") or () if use.get("model")]
    told["models"] = room.list(models, reading(ref, "models"))
    told |= {name: room.list(values, reading(ref, name)) for name in _NAMES if (values := session.get(name))}
    if session.get("scores"):
        told["scores"] = room.map(session["scores"], reading(ref, "scores"))
    return told


def whole(session: Mapping[str, Any], ref: SessionRef, room: Room) -> dict[str, Any]:
    """A session with everything that REST tells of it, but for its traces."""
    told: dict[str, Any] = {"id": str(ref)}
    for name, value in session.items():
        if name not in ("id", "traces"):
            told[name] = fitted_value(value, room, ref, name)
    return told


def fitted_value(value: Any, room: Room, ref: object, name: str) -> Any:
    """A value of a field: a list or a map with its first entries, a text with its beginning."""
    read = reading(ref, name)
    if isinstance(value, list):
        return room.list([room.text(one, read) if isinstance(one, str) else one for one in value], read)
    if isinstance(value, Mapping):
        return room.map(
            {key: room.text(one, read) if isinstance(one, str) else one for key, one in value.items()}, read
        )
    return room.text(value, read)


def cautions(session: Mapping[str, Any]) -> Iterator[str]:
    """What a reader has to know about the numbers of a session."""
    if session.get("cost_exact") is False:
        unpriced = session.get("unpriced_call_count") or 0
        why = (
            f"{unpriced:,} of {session.get('call_count') or 0:,} calls have no price"
            if unpriced
            else "see cost_sources"
        )
        known = (
            "costs are lower bounds or estimates" if session.get("total_cost") is not None else "the cost is not known"
        )
        yield f"{known}: {why}; unknown is null, not 0."
    if session.get("dropped"):
        yield "`dropped` says what is left out of this session because it was too much."


def has_no_words(session: Mapping[str, Any]) -> bool:
    """Return True if no words of a session are known."""
    return session.get("first_input") is None and session.get("last_output") is None


NO_WORDS: Final = "content capture was off, or the content was deleted: do not infer what was said."
"""What a reader has to know where there are no words."""

"""`trace_of_turn`: the trace, or the log records of five minutes, that a turn is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from otel_sessions.mcp.asking import Ask, MissingError
from otel_sessions.mcp.nearby import of_session
from otel_sessions.mcp.refs import TurnRef
from otel_sessions.mcp.rooms import Call

PAGE: Final = 1_000


def trace_of_turn(ask: Ask, ref: TurnRef) -> Mapping[str, Any]:
    """The trace of a turn, as REST tells of it in a list.

    Raises:
        MissingError: the session has no such turn.
    """
    number, place = ref.number, 0
    while True:
        page = of_session(ask, ref.session, "traces", {"limit": str(PAGE), "offset": str(place)})
        for trace in page["data"]:
            if (
                place == number
                or (ref.trace_id is not None and trace["trace_id"] == ref.trace_id)
                or (number is None and trace["trace_id"] is None and trace["start"] == ref.which)
            ):
                found: Mapping[str, Any] = trace
                return found
            place += 1
        if not page["data"] or place >= page["pagination"]["total"]:
            break
    raise MissingError(
        f"the session has {place:,} turns, none of them is {ref.which}",
        [Call("get_session", {"id": str(ref.session), "part": "turns"})],
    )

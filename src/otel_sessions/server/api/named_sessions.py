"""`NamedSession`: the session that the path of a request names, and the error if it does not exist."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from fastapi import Depends, Path

from otel_sessions.attributes import ID_KEY
from otel_sessions.server.api.errors import ApiError
from otel_sessions.server.api.parameters import Key
from otel_sessions.server.api.validation_messages import shortened


class SessionRef(NamedTuple):
    """The session that a request names."""

    key: str
    id: str


async def _session(
    session_id: Annotated[
        str,
        Path(
            description="The session's id, percent-encoded including its slashes: `a/b` is `a%2Fb`.",
            examples=["ticket-1"],
        ),
    ],
    *,
    key: Key = ID_KEY,
) -> SessionRef:
    return SessionRef(key, session_id)


NamedSession = Annotated[SessionRef, Depends(_session)]


def no_such(session: SessionRef) -> ApiError:
    """The error for a session that does not exist."""
    return ApiError(404, "not_found", f"there is no session with {shortened(session.key)} = {shortened(session.id)}")

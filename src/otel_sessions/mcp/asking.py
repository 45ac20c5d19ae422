"""`Ask`: where the tools get their answers from, the REST API of a server; and the errors that an answer tells of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol
from urllib.parse import quote

from otel_sessions.attributes import ID_KEY
from otel_sessions.mcp.refs import SessionRef
from otel_sessions.mcp.rooms import Call

SESSIONS: Final = "/v1/sessions"


class Ask(Protocol):
    """Asks the REST API of a server. It blocks."""

    @property
    def pages(self) -> str | None:
        """The address of the server's pages, without a slash at its end; `None` if a person cannot open them."""
        ...

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Any:
        """The JSON of an answer.

        Raises:
            MissingError: there is nothing at this path.
            AskError: the server refuses, or cannot be reached.
        """
        ...


class AskError(Exception):
    """A question that cannot be answered: why, and the next step.

    Attributes:
        following: calls that may help.
    """

    def __init__(self, message: str, following: Sequence[Call] = ()) -> None:
        super().__init__(message)
        self.following = tuple(following)


class MissingError(AskError):
    """What is named does not exist."""


def session_path(session: SessionRef, part: str = "") -> str:
    """The path of a session, or of a part of it such as `calls`."""
    return f"{SESSIONS}/{_quoted(session.id)}{part and f'/{part}'}"


def session_link(ask: Ask, session: SessionRef) -> str | None:
    """The page of a session."""
    if ask.pages is None:
        return None
    key = "" if session.key == ID_KEY else f"?key={_quoted(session.key)}"
    return f"{ask.pages}/sessions/{_quoted(session.id)}{key}"


def _quoted(text: str) -> str:
    """A text as a part of a URL; half a character, which no URL can have, becomes a question mark."""
    return quote(text, safe="", errors="replace")

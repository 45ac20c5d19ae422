"""The attribute names of otel-sessions, each defined once.

OpenTelemetry defines `session.id`, `session.previous_id` and `user.id`; the other `session.*` names are ours.
"""

from __future__ import annotations

from typing import Final

PREFIX: Final = "session."

SESSION_ID: Final = PREFIX + "id"
SESSION_PREVIOUS_ID: Final = PREFIX + "previous_id"
SESSION_NAME: Final = PREFIX + "name"
SESSION_TAGS: Final = PREFIX + "tags"
SESSION_CUT: Final = PREFIX + "cut"
SESSION_KEY_PREFIX: Final = PREFIX + "key."
SESSION_METADATA_PREFIX: Final = PREFIX + "metadata."
USER_ID: Final = "user.id"

ID_KEY: Final = "id"
"""The default session key, whose attribute is `session.id`."""

ALL_KEYS: Final = "*"
"""In `session.cut`: all session keys."""


def attribute_of(key: str) -> str:
    """The attribute that carries the value of a session key."""
    return SESSION_ID if key == ID_KEY else SESSION_KEY_PREFIX + key


def is_session_name(name: str) -> bool:
    """Return True if the attribute carries the value of a session key."""
    return name == SESSION_ID or name.startswith(SESSION_KEY_PREFIX)

"""The session under the attribute names of other backends, in addition to our own.

There is a table of names per backend; a field that a backend has no name for is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from otel_sessions.attributes import (
    SESSION_ID,
    SESSION_METADATA_PREFIX,
    SESSION_NAME,
    SESSION_TAGS,
    USER_ID,
)
from otel_sessions.session import AttributeValue


class Dialect(NamedTuple):
    """The attribute names of a backend; `None` for a field that it has no name for.

    Attributes:
        session_id: the attribute for `session.id`.
        user_id: the attribute for `user.id`.
        session_name: the attribute for `session.name`.
        tags: the attribute for the tags as a list.
        tags_joined: the attribute for the tags as one string, joined by commas.
        metadata: the prefix of an attribute per metadata entry.
        metadata_json: the attribute for the metadata as one JSON object.
    """

    session_id: str | None = None
    user_id: str | None = None
    session_name: str | None = None
    tags: str | None = None
    tags_joined: str | None = None
    metadata: str | None = None
    metadata_json: str | None = None


DIALECTS: Final[Mapping[str, Dialect]] = MappingProxyType(
    {
        "agentmark": Dialect(
            "agentmark.session_id",
            "agentmark.user_id",
            "agentmark.session_name",
            tags="agentmark.tags",
            metadata="agentmark.metadata.",
        ),
        "gen_ai": Dialect("gen_ai.conversation.id"),
        "helicone": Dialect(
            "traceloop.association.properties.Helicone-Session-Id",
            "traceloop.association.properties.Helicone-User-Id",
            "traceloop.association.properties.Helicone-Session-Name",
        ),
        "laminar": Dialect(
            "lmnr.association.properties.session_id",
            "lmnr.association.properties.user_id",
            tags="lmnr.association.properties.tags",
            metadata="lmnr.association.properties.metadata.",
        ),
        "langfuse": Dialect(
            "langfuse.session.id", "langfuse.user.id", tags="langfuse.trace.tags", metadata="langfuse.trace.metadata."
        ),
        "langsmith": Dialect(
            "langsmith.metadata.session_id",
            "langsmith.metadata.user_id",
            tags_joined="langsmith.span.tags",
            metadata="langsmith.metadata.",
        ),
        "langwatch": Dialect("langwatch.thread.id", "langwatch.customer.id"),
        "mlflow": Dialect("mlflow.trace.session", "mlflow.trace.user"),
        "openinference": Dialect(tags="tag.tags", metadata_json="metadata"),
        "opik": Dialect("thread_id", tags="opik.tags", metadata="opik.metadata."),
        "traceloop": Dialect(
            "traceloop.association.properties.session_id",
            "traceloop.association.properties.user_id",
            metadata="traceloop.association.properties.",
        ),
    }
)

_KEPT: Final = 1_000


class Writer:
    """Adds the names of some dialects to the attributes of a session; the result is kept for the session's next span."""

    def __init__(self, dialects: Iterable[str]) -> None:
        """Look up the dialects.

        Raises:
            ValueError: for an unknown dialect; the message lists the known ones.
        """
        names = (dialects,) if isinstance(dialects, str) else tuple(dialects)
        for name in names:
            if name not in DIALECTS:
                raise ValueError(f"dialects: {name!r} is not known; choose from {', '.join(DIALECTS)}")
        self._dialects = tuple(DIALECTS[name] for name in names)
        self._made: dict[int, tuple[Mapping[str, AttributeValue], dict[str, AttributeValue]]] = {}

    def extend(self, attributes: Mapping[str, AttributeValue]) -> Mapping[str, AttributeValue]:
        """The attributes with the names of all dialects added; our own attributes are never replaced."""
        made = self._made.get(id(attributes))
        if made is not None and made[0] is attributes:
            return made[1]
        extended: dict[str, AttributeValue] = {}
        for dialect in self._dialects:
            extended.update(_write(dialect, attributes))
        extended.update(attributes)
        if len(self._made) >= _KEPT:
            self._made.clear()
        self._made[id(attributes)] = (attributes, extended)
        return extended


def _write(dialect: Dialect, attributes: Mapping[str, AttributeValue]) -> dict[str, AttributeValue]:
    written: dict[str, AttributeValue] = {}
    metadata = {
        name.removeprefix(SESSION_METADATA_PREFIX): value
        for name, value in attributes.items()
        if name.startswith(SESSION_METADATA_PREFIX)
    }
    if dialect.metadata is not None:
        written.update({dialect.metadata + name: value for name, value in metadata.items()})
    if dialect.metadata_json is not None and metadata:
        written[dialect.metadata_json] = json.dumps(metadata)
    tags: Any = attributes.get(SESSION_TAGS)
    if tags is not None and dialect.tags is not None:
        written[dialect.tags] = tags
    if tags is not None and dialect.tags_joined is not None:
        written[dialect.tags_joined] = ",".join(tags)
    for ours, theirs in (
        (SESSION_ID, dialect.session_id),
        (USER_ID, dialect.user_id),
        (SESSION_NAME, dialect.session_name),
    ):
        if theirs is not None and ours in attributes:
            written[theirs] = attributes[ours]
    return written

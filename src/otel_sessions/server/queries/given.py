"""What sessions were given beside their spans: scores, the number of annotations, and a name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from otel_sessions.counting.score_summary import Told
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.queries.statements import statement

_SCORE: Final = 0
_ANNOTATIONS: Final = 1


@dataclass(slots=True)
class Given:
    """What one session was given: its scores, how many annotations, and the name."""

    scores: list[Told] = field(default_factory=list)
    annotations: int = 0
    name: str | None = None


NOTHING_GIVEN: Final = Given()
"""Shared by all sessions that were given nothing; do not change it."""


HasGiven = Callable[[], bool]
"""Returns False if no session of the store was given anything, which saves a list the question."""


def has_given(store: Store) -> bool:
    """Return True if the store may have a score, an annotation or a name that a session was given."""
    with store.reading() as client:
        return bool(client.query(statement("has_given")).result_rows)


def given_to(store: Store, key: str, hashes: Sequence[int]) -> dict[int, Given]:
    """What some sessions were given, by the hashes of their ids; a session that was given nothing is missing."""
    found: dict[int, Given] = {}
    if not hashes:
        return found
    with store.reading() as client:
        rows = client.query(statement("given"), parameters={"key": key, "hashes": hashes}).result_rows
    for what, hash_, level, name, value, label, count, time, score_id in rows:
        given = found.setdefault(hash_, Given())
        if what == _SCORE:
            given.scores.append(Told(level, name, value, label, count, (time, score_id)))
        elif what == _ANNOTATIONS:
            given.annotations = count
        else:
            given.name = label
    return found

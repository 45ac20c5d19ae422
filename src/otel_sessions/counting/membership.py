"""`members_of`: the sessions that each span of a trace belongs to.

A span that is cut from a session key belongs to no session of that key, and its descendants inherit none from it. Any
other span has its own value of the key, else its nearest ancestor's, else the value of the trace if the trace has
exactly one, else none. Names of a session have ranks: `session.id` and `session.key.*` come before the names that other
SDKs use, and those before one on the resource. A span stays in the session of an ancestor that has a name of a higher rank.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from otel_sessions.attributes import ALL_KEYS, ID_KEY
from otel_sessions.counting.facts import SpanFacts

Pair = tuple[str, str]
"""A session: the session key and its value."""

_CUT: Final = ""
"""Stands for "cut" among the values, which are never empty."""

_Ranked = tuple[str | None, int]
"""A value, `_CUT` or `None`, and the rank of the name that gave it."""


class Members(NamedTuple):
    """The sessions of every span of a trace.

    Attributes:
        sessions: by span id, its (key, value) pairs in alphabetical order of the keys.
        ranks: by span id, the rank of the name that gives its session of the key `id`; empty if all spans are in the same
            sessions.
    """

    sessions: dict[int, tuple[Pair, ...]]
    ranks: dict[int, int]

    def part(self, one: int, other: int) -> bool:
        """Return True if two spans are in different sessions of one key, by names of one rank."""
        ones, others = self.sessions[one], self.sessions[other]
        if ones is others or ones == others:
            return False
        known = dict(ones)
        return any(
            known.get(key, value) != value and (key != ID_KEY or self.ranks[one] == self.ranks[other])
            for key, value in others
        )

    def charged(self, span_id: int, copies: list[int]) -> tuple[Pair, ...]:
        """The sessions of a call that several spans report: one of each key, by the name of the highest rank."""
        if not self.ranks:  # all spans are in the same sessions
            return self.sessions[span_id]
        together = dict(self.sessions[span_id])
        best = self.ranks[span_id] if ID_KEY in together else None
        for copy in copies:
            for key, value in self.sessions[copy]:
                if key not in together or (key == ID_KEY and best is not None and self.ranks[copy] < best):
                    together[key] = value
                    best = self.ranks[copy] if key == ID_KEY else best
        return tuple(sorted(together.items()))


def members_of(spans: Mapping[int, SpanFacts]) -> Members:
    """The sessions of every span."""
    first = next(iter(spans.values())).values
    for span in spans.values():
        if span.cut or span.values != first:
            break
    else:
        return Members(dict.fromkeys(spans, first), {})
    keys = sorted({key for span in spans.values() for key, _ in span.values})
    members: dict[int, list[Pair]] = {span_id: [] for span_id in spans}
    ranks: dict[int, int] = dict.fromkeys(spans, 0)
    for key in keys:
        for span_id, (value, rank) in _values(spans, key).items():
            if value is not None and value != _CUT:
                members[span_id].append((key, value))
                if key == ID_KEY:
                    ranks[span_id] = rank
    return Members({span_id: tuple(pairs) for span_id, pairs in members.items()}, ranks)


def sessions_of(spans: Mapping[int, SpanFacts]) -> dict[int, tuple[Pair, ...]]:
    """The (key, value) pairs of every span's sessions, by span id, in alphabetical order of the keys."""
    return members_of(spans).sessions


def _values(spans: Mapping[int, SpanFacts], key: str) -> dict[int, _Ranked]:
    """Every span's value of one key, its own or inherited, and its rank."""
    found: dict[int, _Ranked] = {}
    own: dict[int, _Ranked] = {}
    for span_id, span in spans.items():
        if span.cut and (key in span.cut or ALL_KEYS in span.cut):
            found[span_id] = (_CUT, 0)
            continue
        for name, value in span.values:
            if name == key:
                own[span_id] = (value, span.rank if key == ID_KEY else 0)
                break
    nothing: _Ranked = (None, 0)
    for start in spans:
        path: list[int] = []
        current: int | None = start
        while current is not None and current in spans and current not in found:
            path.append(current)
            current = spans[current].parent_id
        above = nothing if current is None else found.get(current, nothing)
        for span_id in reversed(path):
            mine = own.get(span_id)
            if mine is not None and (above[0] is None or above[0] == _CUT or mine[1] <= above[1]):
                above = mine
            found[span_id] = above
    return _with_default(found)


def _with_default(found: dict[int, _Ranked]) -> dict[int, _Ranked]:
    """The same, with the value of the trace for spans that have none: the only one by names of the highest rank."""
    lent = {ranked for ranked in found.values() if ranked[0] not in (None, _CUT)}
    highest = min((rank for _, rank in lent), default=0)
    best = {value for value, rank in lent if rank == highest}
    if len(best) != 1:
        return found
    default: _Ranked = (next(iter(best)), highest)
    return {span_id: default if ranked[0] is None else ranked for span_id, ranked in found.items()}

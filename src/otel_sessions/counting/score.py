"""`Score`: a number or a label on a session, a trace or a span; read from the event `gen_ai.evaluation.result`.

What a score is on is told by its ids: one with a span id is on that span, one with only a trace id on the trace, one without both on the
session that it names. A score on a span or a trace is counted in the sessions of that span or trace, also when these come later. A score
that names a session which its span or trace is not in, as the event of a judge that runs in a trace of its own, is on that session.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from otel_sessions import rules
from otel_sessions.attributes import ID_KEY
from otel_sessions.counting.facts import SpanFacts, Values
from otel_sessions.counting.membership import Pair
from otel_sessions.counting.reading import OF_RESOURCE, span_facts
from otel_sessions.dialects.evaluation import (
    EVENT_NAME,
    EVENT_NAME_ATTRIBUTE,
    SCORE_COMMENT,
    SCORE_LABEL,
    SCORE_NAME,
    SCORE_VALUE,
)
from otel_sessions.drops import SessionValueError, drops

OF_SESSION: Final = 0
OF_TRACE: Final = 1
OF_SPAN: Final = 2
LEVELS: Final = ("session", "traces", "spans")
"""What a score can be on, by number: `OF_SESSION`, `OF_TRACE` and `OF_SPAN`."""

OTEL: Final = "otel"
"""The source of scores that came as events."""


class Score(NamedTuple):
    """A score as it was given; ids as integers, 0 for none, times in nanoseconds UTC.

    Attributes:
        id: the same for every delivery of the same score.
        name: the property that is scored.
        value: a finite number; `None` if there is only a label.
        label: the score in words.
        comment: an explanation.
        source: where it comes from, such as `otel` or `api`.
        time: when it was given.
        trace_id: the trace that it is on, or that its span is in.
        span_id: the span that it is on.
        author: who gave it.
        given: the sessions that it names itself.
        by_resource: only its resource names them, so that those of its span come first.
    """

    id: int
    name: str
    value: float | None
    label: str | None
    comment: str | None
    source: str
    time: int
    trace_id: int = 0
    span_id: int = 0
    author: str | None = None
    given: Values = ()
    by_resource: bool = False


Places = tuple[tuple[Pair, int], ...]
"""The sessions that a score is counted in, in order, each with what it is on there."""


def is_score(event_name: str, attributes: Mapping[str, Any]) -> bool:
    """Return True if an event of this name and with these attributes gives a score."""
    return event_name == EVENT_NAME or (not event_name and attributes.get(EVENT_NAME_ATTRIBUTE) == EVENT_NAME)


def read_score(
    attributes: Mapping[str, Any], *, time: int, trace_id: int, span_id: int, session_id: str | None = None
) -> Score | None:
    """The score that an event with these attributes gives; `None`, counted as dropped, if it gives none.

    Args:
        attributes: of the event.
        time: of the event, nanoseconds UTC.
        trace_id: of the span that it was written in; 0 for none.
        span_id: of that span; 0 for none.
        session_id: `session.id` of its resource.
    """
    try:
        name = rules.score_name(attributes.get(SCORE_NAME))
        value, label = _said(attributes)
    except SessionValueError as error:
        drops.count("score", error.reason, f"an event {EVENT_NAME} gives no score: {error}")
        return None
    comment = attributes.get(SCORE_COMMENT)
    facts = span_facts(
        attributes,
        span_id=0,
        parent_id=None,
        start=0,
        end=0,
        failed=False,
        scope="",
        name="",
        session_id=session_id,
    )
    return identified(
        Score(
            0,
            name,
            value,
            label,
            comment if isinstance(comment, str) and comment else None,
            OTEL,
            time,
            trace_id,
            span_id if trace_id else 0,
            given=facts.values,
            by_resource=facts.rank == OF_RESOURCE,
        )
    )


def identified(score: Score, key: str | None = None) -> Score:
    """The score with an id: computed from the key that its sender gave it, else from all that it says."""
    told = [*score[1:]] if key is None else [key, score.given]
    digest = hashlib.blake2b(json.dumps(told).encode(), digest_size=16).digest()
    return score._replace(id=int.from_bytes(digest))


def places_of(score: Score, spans: Mapping[int, SpanFacts], sessions: Mapping[int, tuple[Pair, ...]]) -> Places:
    """The sessions that a score is counted in.

    Args:
        score: the score.
        spans: the spans of its trace, by id; none if they are not known.
        sessions: by span id, the sessions of each.
    """
    if not score.trace_id:
        return tuple((pair, OF_SESSION) for pair in score.given)
    of_trace = {pair for pairs in sessions.values() for pair in pairs}
    told = OF_SPAN if score.span_id else OF_TRACE
    inside, is_known = of_trace, bool(spans)
    if score.span_id:
        is_known = score.span_id in spans
        # A span that has not come is in the session of its trace if that has exactly one, as for a log record in it.
        inside = set(sessions[score.span_id]) if is_known else _only(of_trace)
    given = dict(score.given)
    if score.by_resource and any(key == ID_KEY for key, _ in inside):
        given.pop(ID_KEY, None)
    found = {pair: told for pair in inside if pair[0] not in given}
    found |= {pair: OF_SESSION if is_known and pair not in inside else told for pair in given.items()}
    return tuple(sorted(found.items()))


def _only(pairs: set[Pair]) -> set[Pair]:
    """The pairs of keys that have one value."""
    keys = [key for key, _ in pairs]
    return {pair for pair in pairs if keys.count(pair[0]) == 1}


def _said(attributes: Mapping[str, Any]) -> tuple[float | None, str | None]:
    """The value and the label of a score, at least one of them."""
    value, label = _number(attributes.get(SCORE_VALUE)), _label(attributes.get(SCORE_LABEL))
    if value is None and label is None:
        raise SessionValueError("score", "value", "it has neither a finite number nor a label")
    return value, label


def _number(value: object) -> float | None:
    """A finite number; a row that a Collector wrote has it as text."""
    try:
        number = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _label(value: object) -> str | None:
    try:
        return rules.text(value, field="score_label") or None
    except SessionValueError:
        return None

"""What was stamped on the spans that are open, for exporters with `repair=True`: a span may lose it before it ends.

The SDK makes room for the attribute after the last that is allowed by dropping the oldest, and the session is stamped first.
Some instrumentations write an id of their own over `session.id`. Nothing is kept before the first such exporter is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from weakref import ref

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Span

from otel_sessions.attributes import is_session_name
from otel_sessions.forking import ForkSafeLock

MOST_LOST: Final = 4_096
"""Spans that lost their session, or have another one now, of which the oldest are forgotten."""

_Id = tuple[int, int]
"""Trace id and span id."""


class StampedSessions:
    """The session attributes that were stamped on spans.

    Attributes:
        wanted: an exporter asks for them.
    """

    def __init__(self) -> None:
        self.wanted = False
        self._open: dict[_Id, tuple[dict[str, Any], ref[Span]]] = {}
        self._lost: dict[_Id, Mapping[str, Any]] = {}
        self._lock = ForkSafeLock()

    def keep(self, span: Span, attributes: Mapping[str, Any]) -> None:
        """Remember what was stamped on an open span, beside what was stamped on it before."""
        if not self.wanted:
            return
        context = span.get_span_context()
        id_ = (context.trace_id, context.span_id)
        before = self._open.get(id_)
        together = {**before[0], **attributes} if before is not None else dict(attributes)
        self._open[id_] = (together, ref(span, lambda _: self._open.pop(id_, None)))

    def end(self, span: ReadableSpan) -> None:
        """Forget what was stamped on a span that has ended, unless it lost some of it or names another session."""
        context = span.get_span_context()
        if context is None:
            return
        id_ = (context.trace_id, context.span_id)
        stamped = self._open.pop(id_, None)
        if stamped is None:
            return
        present = dict(span.attributes or {})
        is_lost = bool(span.dropped_attributes) and not stamped[0].keys() <= present.keys()
        is_other = any(is_session_name(name) and present.get(name) != value for name, value in stamped[0].items())
        if not is_lost and not is_other:
            return
        with self._lock:
            if len(self._lost) >= MOST_LOST:
                del self._lost[next(iter(self._lost))]
            self._lost[id_] = stamped[0]

    def lost(self, trace_id: int, span_id: int) -> Mapping[str, Any] | None:
        """All that was stamped on a span that lost some of it or names another session; `None` for any other span."""
        return self._lost.get((trace_id, span_id))


stamped_sessions: Final = StampedSessions()

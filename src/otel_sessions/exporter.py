"""`SessionExporter`: forwards every span, then adds it to its trace and session."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from os import PathLike
from types import MappingProxyType
from typing import Any, Final

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, StatusCode

from otel_sessions import rules
from otel_sessions.attributes import (
    ID_KEY,
    SESSION_METADATA_PREFIX,
    SESSION_NAME,
    SESSION_TAGS,
    USER_ID,
    attribute_of,
)
from otel_sessions.counting.contents import content_of_span, holds_content, with_said
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.measures import sort_sessions
from otel_sessions.counting.model_call import ModelCall
from otel_sessions.counting.prices.chain import GuardedPricer, default_pricer
from otel_sessions.counting.prices.pricer import Pricer
from otel_sessions.counting.reading import span_facts
from otel_sessions.counting.session import SessionRollup
from otel_sessions.counting.trace import TraceRollup
from otel_sessions.dialects.read import plan_of
from otel_sessions.drops import DropCounter, SessionValueError
from otel_sessions.forking import ForkSafeLock
from otel_sessions.rollups import RollupLimits, Rollups
from otel_sessions.session_counter import Facts, SessionCounter
from otel_sessions.span_copies import Redact, emptied, redacted, with_attributes
from otel_sessions.stamped_sessions import stamped_sessions

_ERROR: Final = StatusCode.ERROR
_CONSUMER: Final = SpanKind.CONSUMER


class SessionExporter(SpanExporter):
    """A `SpanExporter` around another one that also adds up traces and sessions, with tokens, cost and failures.

    The inner exporter gets the same span objects first, so that an error in here never loses a span. Put it behind a
    `BatchSpanProcessor`: all counting then happens on that processor's thread.

    Args:
        exporter: the exporter that spans are forwarded to; `None` forwards nothing.
        price: a `Pricer`, the path of a prices file that is asked before genai-prices, or `None` to price nothing. By
            default genai-prices, if the extra `prices` is installed.
        on_trace: called with the `TraceRollup` of a trace when the trace is closed, and again if a late span reopened it.
        redact: a `Redact`, called with the name and value of every attribute, name and description of a span; its
            result is sent instead, and sessions are counted by it.
        repair: forward a copy with its session of a span that lost it to the attribute limit, or that an instrumentation
            wrote another session on: what `SessionSpanProcessor` stamped on it, else as far as it follows from the spans
            of its trace that have ended.
        limits: bounds of the memory that is used.

    Raises:
        ValueError: for a prices file that cannot be read.

    Example:
        >>> from opentelemetry.sdk.trace import TracerProvider
        >>> from opentelemetry.sdk.trace.export import BatchSpanProcessor
        >>> from otel_sessions import SessionExporter, SessionSpanProcessor, propagate_sessions
        >>> exporter = SessionExporter()  # SessionExporter(OTLPSpanExporter()) also forwards every span
        >>> provider = TracerProvider()
        >>> provider.add_span_processor(SessionSpanProcessor())
        >>> provider.add_span_processor(BatchSpanProcessor(exporter))
        >>> with propagate_sessions("ticket-2611"):
        ...     provider.get_tracer("app").start_span("answer").end()
        >>> provider.force_flush()
        True
        >>> exporter.session("ticket-2611").trace_count
        1
        >>> provider.shutdown()
    """

    def __init__(
        self,
        exporter: SpanExporter | None = None,
        *,
        price: Pricer | str | PathLike[str] | bool | None = True,
        on_trace: Callable[[TraceRollup], object] | None = None,
        redact: Redact | None = None,
        repair: bool = False,
        limits: RollupLimits | None = None,
    ) -> None:
        self._exporter = exporter
        self._redact = redact
        self._repair = repair
        if repair:
            stamped_sessions.wanted = True
        self._drops: Final = DropCounter(logging.getLogger("otel_sessions.exporter"))
        self._rollups: Final = Rollups(pricer=self._pricer(price), limits=limits, on_trace=on_trace, drops=self._drops)
        self._counter: Final = SessionCounter(self._rollups, self._drops)
        self._shutdown_lock = ForkSafeLock()
        self._is_shutdown = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Forward the spans, then count them; returns the result of the inner exporter. Never raises."""
        if self._redact is not None:
            spans = [copy for span in spans if (copy := self._redacted(span)) is not None]
        read = None
        if self._repair:
            spans, read = self._repaired(spans)
        result = SpanExportResult.SUCCESS
        if self._exporter is not None:
            try:
                result = self._exporter.export(spans)
            except Exception as error:
                self._counter.fault("export_errors", "the inner exporter raised", error)
                result = SpanExportResult.FAILURE
        try:
            self._counter.add(read or map(self._facts_of, spans))
        except Exception as error:
            self._counter.fault("rollup_errors", "rolling spans up raised", error)
        return result

    def session(self, id: object, key: str = ID_KEY) -> SessionRollup | None:  # noqa: A002
        """The session with this id so far, with traces that are still open; `None` if no span of it has ended."""
        try:
            value = rules.session_id(id) if key == ID_KEY else rules.keyed_value(id)
            return self._rollups.session(value, rules.key(key, field="key"))
        except SessionValueError:
            return None

    def sessions(
        self, key: str = ID_KEY, *, sort: str = "last_active", descending: bool = True, limit: int | None = 50
    ) -> list[SessionRollup]:
        """The sessions of a key, sorted by a measure; sessions in which it is unknown come last.

        Args:
            key: the session key.
            sort: the measure, such as `last_active`, `cost`, `tokens` or `failure_rate`.
            descending: greatest first.
            limit: the number of sessions at most; `None` returns all.


        Raises:
            ValueError: for an unknown measure; the message lists the known ones.
        """
        return sort_sessions(self._rollups.sessions(key), sort, descending=descending)[
            : None if limit is None else max(limit, 0)
        ]

    def calls(self, id: object, key: str = ID_KEY) -> list[ModelCall]:  # noqa: A002
        """The model calls of a session so far, and what reports usage and is not counted, with the reason; by start.

        Of traces that were forgotten to make room (`RollupLimits`), the calls are in the totals of the session and not in this list.
        """
        try:
            value = rules.session_id(id) if key == ID_KEY else rules.keyed_value(id)
            return self._rollups.calls(value, rules.key(key, field="key"))
        except SessionValueError:
            return []

    @property
    def inner(self) -> SpanExporter | None:
        """The exporter that spans are forwarded to."""
        return self._exporter

    @property
    def dropped(self) -> dict[str, int]:
        """The number of spans that were not counted, and of errors, by reason, for example `{"late_spans": 3}`."""
        return {reason: amount for (_, reason), amount in self._drops.counts().items()}

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Close all traces, which calls `on_trace`, and flush the inner exporter. Never raises."""
        self._close_traces()
        if self._exporter is None:
            return True
        try:
            return self._exporter.force_flush(timeout_millis)
        except Exception as error:
            self._counter.fault("export_errors", "the inner exporter raised", error)
            return False

    def shutdown(self) -> None:
        """Close all traces and shut down the inner exporter, once. Never raises."""
        with self._shutdown_lock:
            if self._is_shutdown:
                return
            self._is_shutdown = True
        self._close_traces()
        if self._exporter is not None:
            try:
                self._exporter.shutdown()
            except Exception as error:
                self._counter.fault("export_errors", "the inner exporter raised", error)

    def _pricer(self, price: Pricer | str | PathLike[str] | bool | None) -> Pricer | None:
        if price is True:
            return default_pricer()
        if price is None or price is False:
            return None
        if isinstance(price, str | PathLike):
            return default_pricer(os.fspath(price))
        return GuardedPricer(price, lambda error: self._counter.fault("price_errors", "the pricer raised", error))

    def _close_traces(self) -> None:
        try:
            self._rollups.close_all()
        except Exception as error:
            self._counter.fault("rollup_errors", "rolling spans up raised", error)

    def _facts_of(self, span: ReadableSpan) -> Facts | None:
        try:
            context = span.context
            parent = span.parent
            attributes: Any = span.attributes
            # Iterating over a span's attributes goes through Python code; a copy of them does not.
            attributes = attributes.copy() if isinstance(attributes, MappingProxyType) else dict(attributes or {})
            resource = self._counter.resource(span.resource)
            start = span.start_time or span.end_time or 0
            end = span.end_time or start
            scope = "" if span.instrumentation_scope is None else span.instrumentation_scope.name
            plan = plan_of(attributes, scope, resource.service)
            facts = span_facts(
                attributes,
                span_id=context.span_id,
                parent_id=None if parent is None else parent.span_id,
                start=start,
                end=max(start, end),
                failed=span.status.status_code is _ERROR,
                scope=scope,
                name=span.name,
                service=resource.service,
                environment=resource.environment,
                session_id=resource.session_id,
                consumer=span.kind is _CONSUMER,
                plan=plan,
            )
            events = span.events
            if events or holds_content(plan):
                found = [(event.name, event.attributes or {}) for event in events]
                facts = with_said(facts, content_of_span(attributes, found, facts, resource.service))
        except Exception as error:
            self._counter.fault("unreadable_spans", "reading a span raised", error)
            return None
        return context.trace_id, facts

    def _redacted(self, span: ReadableSpan) -> ReadableSpan | None:
        """The redacted copy; `None` for a span that cannot be copied, since it may hold personal data."""
        assert self._redact is not None

        try:
            return redacted(span, self._redact, self._redaction_failed)
        except Exception as error:
            self._redaction_failed(error)
        try:
            return emptied(span)
        except Exception as error:
            self._counter.fault("unreadable_spans", "copying a span for redaction raised", error)
            return None

    def _repaired(self, spans: Sequence[ReadableSpan]) -> tuple[Sequence[ReadableSpan], list[Facts | None]]:
        """The spans to send, with copies of those whose session is put back, and the facts of each; `None` for one that cannot be read."""
        read = [self._facts_of(span) for span in spans]
        try:
            donors = self._donors(spans, read)
            lost = {place: _session_attributes(one) for place, one in donors.items()} | self._stamped(read)
            copies = {place: with_attributes(spans[place], attributes) for place, attributes in lost.items()}
        except Exception as error:
            self._counter.fault("repair_errors", "repairing spans raised", error)
            return spans, read
        for place, copy in copies.items():
            read[place] = self._facts_of(copy)
        return [copies.get(place, span) for place, span in enumerate(spans)], read

    def _stamped(self, read: Sequence[Facts | None]) -> dict[int, dict[str, Any]]:
        """By the place of a span that lost its session or names another one: what was stamped on it, redacted."""
        found: dict[int, dict[str, Any]] = {}
        for place, facts in enumerate(read):
            stamped = None if facts is None else stamped_sessions.lost(facts[0], facts[1].span_id)
            if stamped is not None:
                values = {name: self._redacted_value(name, value) for name, value in stamped.items()}
                found[place] = {name: value for name, value in values.items() if value is not None}
        return found

    def _redacted_value(self, name: str, value: Any) -> Any:
        if self._redact is None:
            return value
        try:
            return self._redact(name, value)
        except Exception as error:
            self._redaction_failed(error)
            return None

    def _redaction_failed(self, error: Exception) -> None:
        # The message of the error may quote the value, which must not be logged.
        self._drops.count("exporter", "redaction_errors", f"redact raised {type(error).__name__}: value replaced")

    def _donors(self, spans: Sequence[ReadableSpan], read: Sequence[Facts | None]) -> dict[int, SpanFacts]:
        """By the place of a span that lost its session: a span of its trace that has it."""
        lost = {
            place: facts
            for place, (span, facts) in enumerate(zip(spans, read, strict=True))
            if facts is not None and span.dropped_attributes
        }
        by_trace: dict[int, dict[int, SpanFacts]] = {trace_id: {} for trace_id, _ in lost.values()}
        for trace_id, facts in filter(None, read if lost else ()):
            if trace_id in by_trace:
                by_trace[trace_id][facts.span_id] = facts
        found = {trace_id: self._rollups.lost_sessions(trace_id, of.values()) for trace_id, of in by_trace.items()}
        return {
            place: found[trace_id][facts.span_id]
            for place, (trace_id, facts) in lost.items()
            if facts.span_id in found[trace_id]
        }


def counter_of(exporter: SessionExporter) -> SessionCounter:
    """What an exporter counts with, for an exporter of log records that counts into the same sessions."""
    return exporter._counter  # noqa: SLF001


def _session_attributes(facts: SpanFacts) -> dict[str, Any]:
    """The session of a span as attributes, as the processor writes them."""
    labels = facts.labels
    attributes: dict[str, Any] = {attribute_of(key): value for key, value in facts.values}
    attributes.update({SESSION_METADATA_PREFIX + name: value for name, value in labels.metadata})
    attributes.update({USER_ID: labels.user_id, SESSION_NAME: labels.name, SESSION_TAGS: labels.tags or None})
    return {name: value for name, value in attributes.items() if value is not None}

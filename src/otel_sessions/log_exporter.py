"""`SessionLogExporter`: forwards every log record, then counts the model calls that it tells of.

OpenTelemetry's log API has no public module yet; this file, `logs.py` and `scores.py` are the only ones that import `_logs`.
"""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult

from otel_sessions.counting.contents import content_of_record, with_said
from otel_sessions.counting.facts import SpanFacts
from otel_sessions.counting.record_reading import record_facts
from otel_sessions.counting.units import unit_of
from otel_sessions.exporter import SessionExporter, counter_of


class SessionLogExporter(LogRecordExporter):
    """A log record exporter around another one that also counts the model calls and sessions that records tell of.

    Coding agents, and instrumentations of OpenTelemetry, tell of calls in log records, with spans beside them or without.
    All goes into the rollups of one `SessionExporter`: a call that a span and a record tell of is one call. The inner
    exporter gets the same records first, so that an error in here never loses one.

    Args:
        exporter: the exporter that records are forwarded to; `None` forwards nothing.
        sessions: the exporter of spans whose sessions the records are added to; by default one of its own.

    Example:
        >>> from opentelemetry._logs import LogRecord
        >>> from opentelemetry.sdk._logs import LoggerProvider
        >>> from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
        >>> from otel_sessions import SessionExporter, SessionLogExporter
        >>> sessions = SessionExporter()
        >>> provider = LoggerProvider()
        >>> provider.add_log_record_processor(SimpleLogRecordProcessor(SessionLogExporter(sessions=sessions)))
        >>> call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 12}
        >>> event = "gen_ai.client.inference.operation.details"
        >>> record = LogRecord(event_name=event, attributes={"session.id": "ticket-2611", **call})
        >>> provider.get_logger("app").emit(record)
        >>> sessions.session("ticket-2611").input_tokens
        12
    """

    def __init__(self, exporter: LogRecordExporter | None = None, *, sessions: SessionExporter | None = None) -> None:
        self._exporter = exporter
        self._sessions = SessionExporter() if sessions is None else sessions
        self._counter = counter_of(self._sessions)

    @property
    def sessions(self) -> SessionExporter:
        """The exporter of spans whose sessions the records are added to."""
        return self._sessions

    @property
    def inner(self) -> LogRecordExporter | None:
        """The exporter that records are forwarded to."""
        return self._exporter

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Forward the records, then count them; returns the result of the inner exporter. Never raises."""
        result = LogRecordExportResult.SUCCESS
        if self._exporter is not None:
            try:
                result = self._exporter.export(batch)
            except Exception as error:
                self._counter.fault("export_errors", "the inner exporter of log records raised", error)
                result = LogRecordExportResult.FAILURE
        try:
            self._counter.add(map(self._facts_of, batch))
        except Exception as error:
            self._counter.fault("rollup_errors", "rolling log records up raised", error)
        return result

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the inner exporter. Never raises."""
        if self._exporter is None:
            return True
        try:
            return self._exporter.force_flush(timeout_millis)
        except Exception as error:
            self._counter.fault("export_errors", "the inner exporter of log records raised", error)
            return False

    def shutdown(self) -> None:
        """Shut down the inner exporter. Never raises."""
        if self._exporter is not None:
            try:
                self._exporter.shutdown()  # type: ignore[no-untyped-call]
            except Exception as error:
                self._counter.fault("export_errors", "the inner exporter of log records raised", error)

    def _facts_of(self, record: ReadableLogRecord) -> tuple[int, SpanFacts] | None:
        try:
            log, scope = record.log_record, record.instrumentation_scope
            resource = self._counter.resource(record.resource)
            trace_id = log.trace_id or 0
            attributes, event_name, scope_name = (
                dict(log.attributes or {}),
                log.event_name or "",
                scope.name if scope else "",
            )
            facts = record_facts(
                attributes,
                event_name=event_name,
                body=log.body,
                time=log.timestamp or 0,
                observed=log.observed_timestamp or 0,
                trace_id=trace_id,
                span_id=(log.span_id or 0) if trace_id else 0,
                scope=scope_name,
                service=resource.service,
                environment=resource.environment,
                session_id=resource.session_id,
            )
            if facts is not None:
                content = content_of_record(
                    attributes, event_name=event_name, body=log.body, scope=scope_name, service=resource.service
                )
                facts = with_said(facts, content)
        except Exception as error:
            self._counter.fault("unreadable_records", "reading a log record raised", error)
            return None
        return None if facts is None else (trace_id or unit_of(facts), facts)

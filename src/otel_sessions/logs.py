"""The session on log records of OpenTelemetry and of the standard library.

OpenTelemetry's log API has no public module yet; this file and `scores.py` are the only ones that import `_logs`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.sdk._logs import LogRecordProcessor, ReadWriteLogRecord

from otel_sessions.dialects.write import Writer
from otel_sessions.drops import drops
from otel_sessions.resolve import ACCEPT_BAGGAGE, Resolver
from otel_sessions.rules import DEFAULT_LIMITS, Limits
from otel_sessions.session import AttributeValue, plain_attributes
from otel_sessions.value_limits import fitting


class SessionLogRecordProcessor(LogRecordProcessor):
    """Adds the session as `session.*` and `user.id` to every OpenTelemetry log record.

    The session is that of the record's context, found as for spans. Attributes that the record already has are not
    overwritten. Register it before the exporting processor.

    Args:
        dialects: as for `SessionSpanProcessor`.
        accept_baggage: as for `SessionSpanProcessor`.
        limits: as for `SessionSpanProcessor`.

    Raises:
        ValueError: for an unknown dialect.
        TypeError: for a string as `accept_baggage`.

    Example:
        >>> from opentelemetry.sdk._logs import LoggerProvider
        >>> from otel_sessions import SessionLogRecordProcessor
        >>> provider = LoggerProvider()
        >>> provider.add_log_record_processor(SessionLogRecordProcessor())
    """

    def __init__(
        self,
        *,
        dialects: Iterable[str] = (),
        accept_baggage: Iterable[str] = ACCEPT_BAGGAGE,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._resolver = Resolver(accept_baggage=accept_baggage, limits=limits)
        self._writer = Writer(dialects)

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Add the session to the record. Never raises."""
        try:
            record = log_record.log_record
            stamped: Mapping[str, AttributeValue] = plain_attributes(self._resolver.session(record.context))
            if stamped:
                attributes: Any = record.attributes
                limit: int | None = getattr(attributes, "max_value_len", None)
                if limit is not None:
                    stamped = fitting(stamped, limit)
                for name, value in self._writer.extend(stamped).items():
                    if name not in attributes:
                        attributes[name] = value
        except Exception as error:
            drops.count("log_record", "raised", f"stamping a log record raised {type(error).__name__}")

    def shutdown(self) -> None:
        """Do nothing: no record is kept."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Return True: no record is kept."""
        return True


class SessionLogFilter(logging.Filter):
    """Adds `session_id`, `session_name`, `user_id` and `session_keys` to every record of a `logging` handler or logger.

    A format such as `%(session_id)s` then works for all records. No record is filtered out, and a field that a record
    already has is not overwritten.

    Args:
        default: the text for a field without a value.

    Example:
        >>> import logging, sys
        >>> from otel_sessions import SessionLogFilter, propagate_sessions
        >>> handler = logging.StreamHandler(sys.stdout)
        >>> handler.addFilter(SessionLogFilter())
        >>> handler.setFormatter(logging.Formatter("%(session_id)s %(message)s"))
        >>> logger = logging.Logger("app")
        >>> logger.addHandler(handler)
        >>> with propagate_sessions("ticket-2611"):
        ...     logger.info("hello")
        ticket-2611 hello
    """

    def __init__(self, *, default: str = "-") -> None:
        super().__init__()
        self._default = default
        self._resolver = Resolver()

    def filter(self, record: logging.LogRecord) -> bool:
        """Set the fields; returns True. Never raises."""
        try:
            session = self._resolver.session(None)
            found: dict[str, Any] = {
                "session_id": session.id,
                "session_name": session.name,
                "user_id": session.user_id,
                "session_keys": dict(session.keys) or None,
            }
        except Exception as error:
            drops.count("log_record", "raised", f"finding a log record's session raised {type(error).__name__}")
            found = dict.fromkeys(("session_id", "session_name", "user_id", "session_keys"))
        for name, value in found.items():
            if not hasattr(record, name):
                setattr(record, name, self._default if value is None else value)
        return True

"""The session on log records: OpenTelemetry's and those of the standard library.

OpenTelemetry's log API has no public module yet; this file and `scores.py` are the only ones that import `_logs`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from opentelemetry.sdk._logs import LogRecordProcessor, ReadWriteLogRecord

from otel_sessions.dialects.write import Writer
from otel_sessions.drops import drops
from otel_sessions.resolve import ACCEPT_BAGGAGE, Resolver
from otel_sessions.rules import DEFAULT_LIMITS, Limits
from otel_sessions.session import plain_attributes


class SessionLogRecordProcessor(LogRecordProcessor):
    """Stamps `session.*` and `user.id` on every log record that is emitted in a session.

    The session is found as for spans, in the context of the record, and nothing that the record has is overwritten.
    Register it before the exporting processor. The arguments are those of `SessionSpanProcessor`.

    Raises:
        ValueError: for an unknown dialect.
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
        """Stamp the record; never raises."""
        try:
            record = log_record.log_record
            stamped = plain_attributes(self._resolver.session(record.context))
            if stamped:
                attributes: Any = record.attributes
                for name, value in self._writer.extend(stamped).items():
                    if name not in attributes:
                        attributes[name] = value
        except Exception as error:
            drops.count("log_record", "raised", f"stamping a log record raised {type(error).__name__}")

    def shutdown(self) -> None:
        """Nothing is held."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is held."""
        return True


class SessionLogFilter(logging.Filter):
    """Gives every record of a handler or logger `session_id`, `session_name`, `user_id` and `session_keys` to format.

    `logging.Formatter("%(session_id)s %(message)s")` then works for all records; it never filters one out.

    Args:
        default: the text where there is no session or no such value.
    """

    def __init__(self, *, default: str = "-") -> None:
        super().__init__()
        self._default = default
        self._resolver = Resolver()

    def filter(self, record: logging.LogRecord) -> bool:
        """Set the fields; always true."""
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

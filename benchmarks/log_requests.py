"""OTLP requests of log records, made fast: one request is the pattern, and each gets new ids.

Of ten records one is a model call of Claude Code, two are other events of its, and seven are lines of an app's log.
"""

from __future__ import annotations

import time
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

BATCH: Final = 512

_MARK: Final = b"@MARK@00"
_SESSION: Final = b"@SESS@00"
_SESSIONS_A_REQUEST: Final = 26
_REQUESTS_A_SESSION: Final = 8
"""About 16 calls and 31 other events a session."""

_OF_ALL: Final[dict[str, Any]] = {
    "user.id": "7a9f2c31d0b84e5592c0a4f6e1d3b7c8a9f2c31d0b84e5592c0a4f6e1d3b7c8a",
    "organization.id": "0b9ff60e-9d3a-4e0c-8f43-6a1d3b1b7c11",
    "user.email": "dev@example.com",
    "user.account_uuid": "5e3b1c52-7ad1-4b3e-9c34-2f0f6f3f9d20",
    "terminal.type": "vscode",
}
_CALL: Final[dict[str, Any]] = {
    "model": "claude-sonnet-4-5",
    "duration_ms": 4_120,
    "ttft_ms": 840,
    "input_tokens": 12,
    "output_tokens": 412,
    "cache_read_tokens": 48_211,
    "cache_creation_tokens": 731,
    "cost_usd": 0.0234,
    "query_source": "repl_main_thread",
    "speed": "normal",
}
_PROMPT: Final[dict[str, Any]] = {"prompt_length": 118, "prompt": "<REDACTED>"}
_TOOL: Final[dict[str, Any]] = {
    "tool_name": "Bash",
    "success": "true",
    "duration_ms": 310,
    "decision_type": "accept",
    "decision_source": "config",
    "tool_result_size_bytes": 2_048,
}
_LINES: Final = (
    ("INFO", 9, "GET /tickets/12345 answered 200 in 38 ms"),
    ("INFO", 9, "cache of orders filled: 212 entries"),
    ("WARN", 13, "the carrier answered after 2.1 s, which is longer than usual"),
    ("DEBUG", 5, "SELECT id, state, shipped_at FROM orders WHERE number = $1 took 4 ms"),
)
_OF_LINES: Final[dict[str, Any]] = {
    "code.function.name": "support.tickets.answer",
    "code.line.number": 117,
    "thread.name": "MainThread",
    "http.route": "/tickets/{number}",
}


class LogRequests:
    """Serialized `ExportLogsServiceRequest`s: every eight of them have new sessions, and all have new records."""

    def __init__(self, *, records: int = BATCH) -> None:
        """Make the pattern with this number of records a request."""
        request = ExportLogsServiceRequest()
        coding, app = request.resource_logs.add(), request.resource_logs.add()
        _add(
            coding.resource.attributes, {"service.name": "claude-code", "service.version": "2.1.4", "os.type": "linux"}
        )
        _add(app.resource.attributes, {"service.name": "support", "deployment.environment.name": "production"})
        events, lines = coding.scope_logs.add(), app.scope_logs.add()
        events.scope.name, events.scope.version = "com.anthropic.claude_code.events", "2.1.4"
        lines.scope.name = "support.tickets"
        now = time.time_ns()
        self.calls = 0
        for place in range(records):
            at = now + place * 1_000_000
            if place % 10 < 3:
                self.calls += place % 10 == 0
                _event(events.log_records.add(time_unix_nano=at, observed_time_unix_nano=at), place)
            else:
                _line(lines.log_records.add(time_unix_nano=at, observed_time_unix_nano=at), place)
        self._pattern: bytes = request.SerializeToString()
        self.records = records
        self.bytes_a_record = len(self._pattern) / records

    def make(self, number: int) -> bytes:
        """The request with this number; different numbers give different records."""
        session = b"%08x" % (number // _REQUESTS_A_SESSION)
        return self._pattern.replace(_MARK, b"%08x" % number).replace(_SESSION, session)


def _event(record: Any, place: int) -> None:
    name, own = (
        ("api_request", {**_CALL, "request_id": f"req_{_MARK.decode()}{place:04d}"}),
        ("tool_result", {**_TOOL, "tool_use_id": f"toolu_{_MARK.decode()}{place:04d}"}),
        ("user_prompt", _PROMPT),
    )[place % 10]
    session = f"{_SESSION.decode()}-4c1e-4f6b-9b1a-{place // 10 % _SESSIONS_A_REQUEST:012d}"
    record.body.string_value = f"claude_code.{name}"
    given = {"event.name": name, "event.sequence": place, "prompt.id": f"{session}-1", "session.id": session}
    _add(record.attributes, {**_OF_ALL, **given, **own, "event.id": f"{_MARK.decode()}-{place:04d}"})


def _line(record: Any, place: int) -> None:
    record.severity_text, record.severity_number, record.body.string_value = _LINES[place % len(_LINES)]
    record.trace_id = place.to_bytes(8) + _MARK
    record.span_id = (place + 1).to_bytes(8)
    _add(record.attributes, _OF_LINES)


def _add(attributes: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        added = attributes.add(key=name).value
        if isinstance(value, str):
            added.string_value = value
        elif isinstance(value, int):
            added.int_value = value
        else:
            added.double_value = value

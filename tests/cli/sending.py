"""Sessions and calls as the API answers with them, and log records as agents send them."""

from __future__ import annotations

from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from tests.server.running import Server, post


def a_session(session_id: str, **more: Any) -> dict[str, Any]:
    """A session of a list."""
    return {
        "id": session_id,
        "name": None,
        "end": "2026-11-20T12:00:00.000Z",
        "status": "ok",
        "services": ["web"],
        "trace_count": 1,
        "span_count": 1,
        "call_count": 0,
        "total_tokens": None,
        "total_cost": None,
        "cost_exact": True,
        "models": [],
        **more,
    }


def a_call(minute: int = 0, **more: Any) -> dict[str, Any]:
    """A call of a session."""
    return {
        "trace_id": "0" * 31 + "1",
        "span_id": f"{minute + 1:016x}",
        "start": f"2026-11-20T12:{minute:02}:00.000Z",
        "duration_ms": 9_120.0,
        "time_to_first_token_ms": None,
        "provider": "anthropic",
        "model": "claude-opus-4-8",
        "lane": None,
        "operation": "chat",
        "counted": True,
        "reason": None,
        "counted_as": None,
        "evidence": ["span"],
        "input_tokens": 50_122,
        "output_tokens": 431,
        "cache_read_tokens": 48_210,
        "cache_write_tokens": 1_900,
        "reasoning_tokens": None,
        "total_tokens": 50_553,
        "input_cost": "0.04",
        "output_cost": "0.01394",
        "total_cost": "0.05394",
        "cost_source": "reported",
        "cost_exact": True,
        "cost_note": None,
        "failed": False,
        **more,
    }


def send_log(server: Server, service: str) -> None:
    """Send a log record without a session to a server."""
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    group.resource.attributes.append(KeyValue(key="service.name", value=AnyValue(string_value=service)))
    group.scope_logs.add().log_records.add(time_unix_nano=1_795_000_000_000_000_000)
    assert post(f"{server.url}/v1/logs", request.SerializeToString()) == 200


def a_message(index: int, role: str, *parts: Any, **more: Any) -> dict[str, Any]:
    """A message of a session; a part that is a text says it."""
    said = [{"type": "text", "content": part} if isinstance(part, str) else part for part in parts]
    return {
        "index": index,
        "turn": 0,
        "trace_id": "0" * 31 + "1",
        "span_id": "0" * 15 + "1",
        "time": f"2026-11-20T12:00:{index:02}.000Z",
        "role": role,
        "lane": None,
        "branch": 0,
        "parts": said,
        "size": 10,
        "truncated": False,
        "call": None,
        **more,
    }


def a_log(body: Any, **more: Any) -> dict[str, Any]:
    """A log record of a session."""
    return {
        "time": "2026-11-20T12:00:00.000Z",
        "severity": 9,
        "severity_text": "INFO",
        "body": body,
        "attributes": {},
        "trace_id": "0" * 31 + "1",
        "span_id": "0" * 15 + "1",
        "service": "web",
        "event_name": None,
        **more,
    }

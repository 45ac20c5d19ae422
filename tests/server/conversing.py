"""A server in this process that conversations are sent to, and read from by REST."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.testclient import TestClient

from otel_sessions import default_pricer
from otel_sessions.server.api.app import create_app
from otel_sessions.server.backend import Backend
from otel_sessions.server.clickhouse.client import Store
from otel_sessions.server.clickhouse.store_settings import StoreSettings
from otel_sessions.server.otlp.encodings import Format
from otel_sessions.server.projections.rebuild import rebuild
from otel_sessions.server.signals import LOGS, TRACES

AT = 1_795_000_000 * 10**9
SECOND = 10**9
CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 3,
}
"""The attributes of a call whose content is not captured."""

PRICER = default_pricer()


def said(role: str, *texts: str) -> dict[str, Any]:
    """A message of OpenTelemetry's form."""
    return {"role": role, "parts": [{"type": "text", "content": text} for text in texts]}


def call(given: Sequence[Any], answered: Sequence[Any], **more: Any) -> dict[str, Any]:
    """The attributes of a call with its messages."""
    return {
        **CALL,
        "gen_ai.input.messages": json.dumps(given),
        "gen_ai.output.messages": json.dumps(answered),
        **{name.replace("_id", ".id"): value for name, value in more.items()},
    }


def turns(session: str, count: int, *, about: str = "", at: int = AT) -> list[dict[str, Any]]:
    """The spans of a conversation, a trace for each turn, each with all that was said before."""
    history: list[Any] = []
    spans = []
    for number in range(count):
        history.append(said("user", f"Question {number} {about}"))
        answer = said("assistant", f"Answer {number} {about}")
        attributes = call(history, [answer], session_id=session)
        spans.append(span(trace_of(session, number), number + 1, attributes, at=at + number * SECOND))
        history.append(answer)
    return spans


def trace_of(session: str, number: int) -> int:
    """The id of a trace of a session."""
    return int.from_bytes(session.encode()[:12]) << 32 | (number + 1)


def span(trace: int, id_: int, attributes: Mapping[str, Any], *, at: int = AT, **more: Any) -> dict[str, Any]:
    """A span in the JSON of OTLP."""
    return {
        "traceId": f"{trace:032x}",
        "spanId": f"{id_:016x}",
        "name": "chat",
        "startTimeUnixNano": str(at),
        "endTimeUnixNano": str(at + SECOND // 2),
        "attributes": key_values(attributes),
        **more,
    }


def record(attributes: Mapping[str, Any], *, event: str = "", at: int = AT, **more: Any) -> dict[str, Any]:
    """A log record in the JSON of OTLP."""
    return {"timeUnixNano": str(at), "eventName": event, "attributes": key_values(attributes), **more}


def key_values(values: Mapping[str, Any]) -> list[Any]:
    """Attributes in the JSON of OTLP."""
    return [{"key": name, "value": any_value(value)} for name, value in values.items()]


def any_value(value: Any) -> dict[str, Any]:
    """A value of an attribute, or a body, in the JSON of OTLP."""
    if value is None:
        return {}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": key_values(value)}}
    if isinstance(value, list):
        return {"arrayValue": {"values": [any_value(one) for one in value]}}
    return {"intValue": str(value)}


class Talks:
    """A backend on a database of its own, and what its API says."""

    def __init__(self, engine: str, database: str, folder: Path) -> None:
        self.settings = StoreSettings(engine, database=database, readers=2)
        self._folder = folder / database
        self.open()

    def open(self, wrapped: Callable[[Store], Store] = lambda store: store) -> None:
        """Open it as a process does; `wrapped` may change its store."""
        self.backend = Backend(wrapped(Store(self.settings)), self._folder, pricer=PRICER)
        self.client = TestClient(create_app(self.backend))

    def reopen(self) -> None:
        """End and start again."""
        assert self.backend.close()
        self.open()

    def rebuild(self) -> None:
        """End, compute everything again, and start."""
        assert self.backend.close()
        store = Store(self.settings)
        rebuild(store, pricer=PRICER, batch=3)
        store.close()
        self.open()

    def send(self, *spans: Any, scope: str = "app", service: str = "app") -> None:
        """Acknowledge spans in one request."""
        self._send(TRACES, "resourceSpans", "scopeSpans", "spans", spans, scope, service)

    def send_logs(self, *records: Any, scope: str = "app", service: str = "app") -> None:
        """Acknowledge log records in one request."""
        self._send(LOGS, "resourceLogs", "scopeLogs", "logRecords", records, scope, service)

    def _send(
        self, signal: str, resources: str, scopes: str, name: str, given: Sequence[Any], scope: str, service: str
    ) -> None:
        group = {"scope": {"name": scope}, name: list(given)}
        resource = {"attributes": key_values({"service.name": service})}
        body = {resources: [{"resource": resource, scopes: [group]}]}
        self.backend.receive(signal, json.dumps(body).encode(), Format.JSON)

    def get(self, path: str) -> Any:
        """The JSON of an answer."""
        return self.client.get(f"/v1{path}").json()

    def messages(self, session: str, query: str = "limit=1000") -> list[Any]:
        """The messages of a session."""
        found: list[Any] = self.get(f"/sessions/{quote(session, safe='')}/messages?{query}")["data"]
        return found

    def told(self, session: str) -> list[tuple[str, str]]:
        """The role and the first text of each message of a session."""
        return [
            (one["role"], one["parts"][0].get("content", "") if one["parts"] else "") for one in self.messages(session)
        ]

    def found(self, text: str, key: str = "id") -> list[str]:
        """The ids of the sessions that a search finds."""
        rows = self.get(f"/sessions?sort=name&order=asc&key={key}&q={quote(text, safe='')}")["data"]
        return sorted(one["id"] for one in rows)

    def rows(self, table: str) -> int:
        """How many rows a table has, those that stand for one another as one."""
        self.backend.settle()
        with self.backend.store.reading() as client:
            return int(client.query(f"SELECT count() FROM {table} FINAL").result_rows[0][0])

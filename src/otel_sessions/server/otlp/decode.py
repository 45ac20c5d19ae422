"""From the decompressed body of an OTLP request to a batch, and to the bytes that are kept until it is stored."""

from __future__ import annotations

from typing import Any

from otel_sessions.server.otlp.encodings import Format
from otel_sessions.server.otlp.json_requests import logs_from_json, traces_from_json
from otel_sessions.server.otlp.limits import RecordBudget
from otel_sessions.server.otlp.logs import read_logs
from otel_sessions.server.otlp.messages import messages, parse
from otel_sessions.server.otlp.partial_success import Rejected
from otel_sessions.server.otlp.spans import read_spans
from otel_sessions.server.signals import TRACES


def read_request(
    signal: str, body: bytes, format_: Format, *, budget: RecordBudget | None = None
) -> tuple[bytes, Any, Rejected]:
    """A request as protobuf, a batch of its records that are taken, and how many are not.

    Args:
        signal: `TRACES` or `LOGS`.
        body: the request, decompressed.
        format_: of the body.
        budget: how much of the request is read; by default what one request may have.

    Raises:
        RequestError: the request as a whole cannot be taken. No body raises anything else.
    """
    budget = RecordBudget() if budget is None else budget
    read = read_spans if signal == TRACES else read_logs
    if format_ is Format.JSON:
        request, left_out = (traces_from_json if signal == TRACES else logs_from_json)(body)
        batch, rejected = read(request, budget)
        left_out.extend(rejected)
        return request.SerializeToString(), batch, left_out
    known = messages()
    return body, *read(parse((known.traces if signal == TRACES else known.logs).request, body), budget)


def read_payload(signal: str, payload: bytes) -> Any:
    """The records of a request that was acknowledged before, however many they are.

    The client was told that they are kept, so no limit may refuse them now, not even one that was lowered since.
    """
    return read_request(signal, payload, Format.PROTOBUF, budget=RecordBudget(None))[1]

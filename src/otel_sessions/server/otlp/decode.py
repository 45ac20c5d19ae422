"""From the decompressed body of an OTLP request to a batch, and to the bytes that are kept until it is stored."""

from __future__ import annotations

from typing import Any

from otel_sessions.server.otlp.encodings import Format
from otel_sessions.server.otlp.json import logs_from_json, traces_from_json
from otel_sessions.server.otlp.logs import read_logs
from otel_sessions.server.otlp.messages import messages, parse
from otel_sessions.server.otlp.partial_success import Rejected
from otel_sessions.server.otlp.spans import read_spans
from otel_sessions.server.signals import TRACES


def read_request(signal: str, body: bytes, format_: Format) -> tuple[bytes, Any, Rejected]:
    """A request as protobuf, its records that are taken, and how many are not.

    Raises:
        RequestError: if the request as a whole cannot be taken; nothing else for any body.
    """
    read = read_spans if signal == TRACES else read_logs
    if format_ is Format.JSON:
        request = (traces_from_json if signal == TRACES else logs_from_json)(body)
        return request.SerializeToString(), *read(request)
    return body, *read(parse(messages().traces if signal == TRACES else messages().logs, body))


def read_payload(signal: str, payload: bytes) -> Any:
    """The records of a request that was acknowledged before."""
    return read_request(signal, payload, Format.PROTOBUF)[1]

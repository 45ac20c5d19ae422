"""`redact_request`: a request in OTLP/JSON without secrets."""

from __future__ import annotations

import base64
from collections import Counter
from typing import Any, Final

from otel_sessions.redaction.names import is_id, kind_of_name
from otel_sessions.redaction.texts import placeholder
from otel_sessions.redaction.values import redact_value

_KEPT: Final = frozenset({"schemaUrl", "key", "severityText", "version"})
"""Texts that no one writes a secret into, and the names of attributes."""


def redact_request(request: Any, counts: Counter[str], *, emails: bool = False) -> Any:
    """A request without secrets. Attributes are redacted under their names; every other text by its shape.

    Args:
        request: `ExportTraceServiceRequest` or `ExportLogsServiceRequest` as OTLP/JSON, or a part of one.
        counts: counts what is replaced, by kind.
        emails: replace addresses of e-mail too.
    """

    def walk(node: Any, name: str | None) -> Any:
        if isinstance(node, list):
            return [walk(one, name) for one in node]
        if not isinstance(node, dict):
            return redact_value(node, name=name, counts=counts, emails=emails)
        if isinstance(node.get("value"), dict) and isinstance(node.get("key"), str):
            return {**node, "value": any_value(node["value"], node["key"], None)}
        return {
            member: one if member in _KEPT else any_value(one, None, None) if member == "body" else walk(one, member)
            for member, one in node.items()
        }

    def any_value(node: Any, name: str | None, kind: str | None) -> Any:
        if not isinstance(node, dict):
            return node
        kind = kind or (None if name is None else kind_of_name(name))
        redacted = dict(node)
        if isinstance(text := node.get("stringValue"), str):
            if kind and text and not (name and is_id(name)):
                counts[kind] += 1
                redacted["stringValue"] = placeholder(kind)
            else:
                redacted["stringValue"] = redact_value(text, name=name, counts=counts, emails=emails)
        if isinstance(raw := node.get("bytesValue"), str) and raw and kind:
            counts[kind] += 1
            redacted["bytesValue"] = base64.b64encode(placeholder(kind).encode()).decode()
        if isinstance(array := node.get("arrayValue"), dict) and isinstance(values := array.get("values"), list):
            redacted["arrayValue"] = {**array, "values": [any_value(one, name, kind) for one in values]}
        if isinstance(members := node.get("kvlistValue"), dict) and isinstance(values := members.get("values"), list):
            inner = [
                {**one, "value": any_value(one.get("value"), one.get("key"), kind)} if isinstance(one, dict) else one
                for one in values
            ]
            redacted["kvlistValue"] = {**members, "values": inner}
        return redacted

    return walk(request, None)

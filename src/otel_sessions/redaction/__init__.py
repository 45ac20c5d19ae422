"""Secrets, found by the names that they stand under, by their shapes, and by how random they look.

`redact_value` takes them out of any value, such as the attributes of a span, and keeps its structure.
"""

from otel_sessions.redaction.values import redact_value

__all__ = ["redact_value"]

"""The names that other SDKs and backends use for what a session is and costs."""

from otel_sessions.dialects.write import DIALECTS

__all__ = ["DIALECTS"]

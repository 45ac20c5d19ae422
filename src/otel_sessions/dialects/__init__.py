"""The attribute names that other SDKs and backends use for sessions, tokens and costs."""

from otel_sessions.dialects.write import DIALECTS, Dialect

__all__ = ["DIALECTS", "Dialect"]

"""`otel-sessions serve`: OTLP in, sessions out, on embedded ClickHouse."""

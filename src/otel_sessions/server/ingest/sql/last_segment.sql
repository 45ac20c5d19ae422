SELECT max(Segment) FROM otel_logs

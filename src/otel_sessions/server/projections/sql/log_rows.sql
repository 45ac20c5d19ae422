SELECT ${columns} FROM otel_logs

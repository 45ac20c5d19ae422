SELECT ${columns} FROM otel_traces

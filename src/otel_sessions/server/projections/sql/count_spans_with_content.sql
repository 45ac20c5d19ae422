SELECT uniqExact(TraceId, SpanId) FROM otel_traces WHERE ${which}

DELETE FROM otel_traces
WHERE TraceId IN (SELECT TraceId FROM doomed_spans)
    AND (TraceId, SpanId) IN (SELECT TraceId, SpanId FROM doomed_spans)

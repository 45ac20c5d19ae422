DELETE FROM otel_traces_trace_id_ts WHERE TraceId IN (SELECT TraceId FROM doomed_spans WHERE SpanId = '*')

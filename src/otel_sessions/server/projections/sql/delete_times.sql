DELETE FROM otel_traces_trace_id_ts WHERE TraceId IN (SELECT TraceId FROM deletion_queue WHERE Version = {queue:UInt64} AND SpanId = '*')

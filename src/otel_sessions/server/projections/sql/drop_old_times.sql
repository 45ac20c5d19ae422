ALTER TABLE otel_traces_trace_id_ts DELETE
WHERE Start <= fromUnixTimestamp64Nano({last:Int64})
    AND TraceId IN (SELECT TraceId FROM doomed_spans)

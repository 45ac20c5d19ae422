ALTER TABLE otel_traces_trace_id_ts DELETE
WHERE Start <= fromUnixTimestamp64Nano({last:Int64})
    AND TraceId IN (SELECT TraceId FROM deletion_queue WHERE Version = {version:UInt64})

ALTER TABLE otel_traces DELETE
WHERE Timestamp <= fromUnixTimestamp64Nano({last:Int64})
    AND TraceId IN (SELECT TraceId FROM deletion_queue WHERE Version = {version:UInt64})

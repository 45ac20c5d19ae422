-- A record that is counted goes by what it is counted as: it may be in another session than the span that it was written in.
DELETE FROM otel_logs
WHERE TraceId IN (SELECT TraceId FROM deletion_queue WHERE Version = {queue:UInt64})
    AND (TraceId, SpanId) IN (SELECT TraceId, SpanId FROM deletion_queue WHERE Version = {queue:UInt64})
    AND CountedAs = 0

TraceId IN (SELECT TraceId FROM deletion_queue WHERE Version = {queue:UInt64})
    AND (TraceId, SpanId) IN (SELECT TraceId, SpanId FROM deletion_queue WHERE Version = {queue:UInt64})

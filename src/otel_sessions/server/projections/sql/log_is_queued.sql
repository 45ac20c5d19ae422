(
    CountedAs != 0
    AND CountedIn IN (SELECT reinterpretAsUInt128(reverse(unhex(TraceId))) FROM deletion_queue WHERE Version = {queue:UInt64})
    AND (CountedIn, CountedAs) IN (
        SELECT reinterpretAsUInt128(reverse(unhex(TraceId))), reinterpretAsUInt64(reverse(unhex(SpanId)))
        FROM deletion_queue
        WHERE Version = {queue:UInt64} AND length(SpanId) = 16
    )
)
OR (
    CountedAs = 0
    AND TraceId IN (SELECT TraceId FROM deletion_queue WHERE Version = {queue:UInt64})
    AND (TraceId, SpanId) IN (SELECT TraceId, SpanId FROM deletion_queue WHERE Version = {queue:UInt64})
)

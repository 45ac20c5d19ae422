-- On spans and traces that a deletion takes; not those that name another session, which they are then on.
(empty(GivenKeys) OR GivenByResource)
    AND TraceId IN (SELECT reinterpretAsUInt128(reverse(unhex(TraceId))) FROM deletion_queue WHERE Version = {queue:UInt64})
    AND (
        (TraceId, SpanId) IN (
            SELECT reinterpretAsUInt128(reverse(unhex(TraceId))), reinterpretAsUInt64(reverse(unhex(SpanId)))
            FROM deletion_queue
            WHERE Version = {queue:UInt64} AND length(SpanId) = 16
        )
        OR TraceId IN (
            SELECT reinterpretAsUInt128(reverse(unhex(TraceId)))
            FROM deletion_queue
            WHERE Version = {queue:UInt64} AND SpanId = '*'
        )
    )

Unit IN (SELECT reinterpretAsUInt128(reverse(unhex(TraceId))) FROM deletion_queue WHERE Version = {queue:UInt64})
    AND (Unit, if(IsCounted, Record, Parent)) IN (
        SELECT reinterpretAsUInt128(reverse(unhex(TraceId))), reinterpretAsUInt64(reverse(unhex(SpanId)))
        FROM deletion_queue
        WHERE Version = {queue:UInt64} AND length(SpanId) = 16
    )

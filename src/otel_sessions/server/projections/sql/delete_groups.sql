DELETE FROM session_traces
WHERE Version < {version:UInt64}
    AND TraceId IN (SELECT reinterpretAsUInt128(reverse(unhex(TraceId))) FROM deletion_queue WHERE Version = {queue:UInt64})

TraceId IN (SELECT reinterpretAsUInt128(reverse(unhex(TraceId))) FROM deletion_queue WHERE Version = {version:UInt64})
    OR (Time < {before:UInt64} AND TraceId NOT IN (SELECT TraceId FROM trace_facts))

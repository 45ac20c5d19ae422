SELECT uniqExact(TraceId)
FROM trace_facts
WHERE End >= {since:UInt64}
    AND (NOT {only:UInt8} OR TraceId IN {units:Array(UInt128)})

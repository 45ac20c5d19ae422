-- The next traces and cells with facts, in the order of their ids; those of some units only if there are any.
SELECT DISTINCT TraceId
FROM trace_facts
WHERE TraceId > {after:UInt128}
    AND End >= {since:UInt64}
    AND (NOT {only:UInt8} OR TraceId IN {units:Array(UInt128)})
ORDER BY TraceId
LIMIT {limit:UInt32}

SELECT ${columns}, count() OVER () AS Total
FROM (
    SELECT ${columns}, Deleted
    FROM session_traces
    WHERE Key = {key:String}
        AND IdHash = {hash:UInt128}
    ORDER BY TraceId, Version DESC
    LIMIT 1 BY TraceId
)
WHERE Deleted = 0
ORDER BY Start, TraceId
LIMIT {limit:UInt64} OFFSET {offset:UInt64}

SELECT ${columns}, IdHash
FROM (
    SELECT ${columns}, IdHash, Deleted
    FROM session_traces
    WHERE Key = {key:String} AND IdHash IN {hashes:Array(UInt128)}
    ORDER BY IdHash, TraceId, Version DESC
    LIMIT 1 BY IdHash, TraceId
)
WHERE Deleted = 0
ORDER BY IdHash, Start, TraceId

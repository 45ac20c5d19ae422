-- The traces and cells of a session in the order of their start.
SELECT TraceId, IsCell
FROM (
    SELECT TraceId, IsCell, Start, Deleted
    FROM session_traces
    WHERE Key = {key:String}
        AND IdHash = {hash:UInt128}
    ORDER BY TraceId, Version DESC
    LIMIT 1 BY TraceId
)
WHERE Deleted = 0
ORDER BY Start, TraceId

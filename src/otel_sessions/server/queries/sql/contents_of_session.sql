SELECT Content
FROM (
    SELECT TraceId, Content, Deleted
    FROM session_traces
    WHERE Key = {key:String}
        AND IdHash = {hash:UInt128}
    ORDER BY TraceId, Version DESC
    LIMIT 1 BY TraceId
)
WHERE Deleted = 0

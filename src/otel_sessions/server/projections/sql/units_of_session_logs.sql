-- The traces and cells of a session; `IsShared` if one also has spans in another session of the key, or spans that were cut from it.
SELECT TraceId, IsCell, JSONExtractBool(Content, 1) OR TraceId IN (
    SELECT TraceId
    FROM trace_facts
    WHERE TraceId IN (SELECT TraceId FROM session_traces WHERE Key = {key:String} AND IdHash = {hash:UInt128})
        AND (position(Facts, concat('],', {cut:String})) > 0 OR position(Facts, '],["*"') > 0)
) AS IsShared
FROM (
    SELECT TraceId, IsCell, Content, Deleted
    FROM session_traces
    WHERE Key = {key:String}
        AND IdHash = {hash:UInt128}
    ORDER BY TraceId, Version DESC
    LIMIT 1 BY TraceId
)
WHERE Deleted = 0
ORDER BY TraceId

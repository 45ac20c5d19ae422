-- When traces and cells of a session were counted last.
SELECT TraceId, max(Version)
FROM session_traces
WHERE Key = {key:String}
    AND IdHash = {hash:UInt128}
    AND TraceId IN {units:Array(UInt128)}
GROUP BY TraceId

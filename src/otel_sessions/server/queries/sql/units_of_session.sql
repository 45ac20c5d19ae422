-- All traces and cells of a session. `Newest` is the greatest version of all of it, `State` differs whenever one of them is written again or
-- gone.
SELECT TraceId, max(Version) OVER () AS Newest, sum(sipHash64(TraceId, Version)) OVER () AS State
FROM (
    SELECT TraceId, Start, Deleted, Version
    FROM session_traces
    WHERE Key = {key:String}
        AND IdHash = {hash:UInt128}
    ORDER BY TraceId, Version DESC
    LIMIT 1 BY TraceId
)
WHERE Deleted = 0
ORDER BY Start, TraceId

-- The traces and cells that a page of a session's calls is in: `Before` entries are in those that started earlier. All of them where
-- one was stored by a version that did not count its entries. `Newest` is the greatest version of all of the session, `State` differs
-- whenever one of its traces and cells is written again or gone.
SELECT TraceId, Listed, Before, Total, Newest, State
FROM (
    SELECT
        TraceId,
        Start,
        Listed,
        sum(ifNull(Listed, 0)) OVER (ORDER BY Start, TraceId ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - ifNull(Listed, 0) AS Before,
        if(countIf(Listed IS NULL) OVER () > 0, NULL, sum(Listed) OVER ()) AS Total,
        Newest,
        sum(sipHash64(TraceId, Version)) OVER () AS State
    FROM (
        SELECT TraceId, Start, Listed, Deleted, Version, max(Version) OVER () AS Newest
        FROM session_traces
        WHERE Key = {key:String}
            AND IdHash = {hash:UInt128}
        ORDER BY TraceId, Version DESC
        LIMIT 1 BY TraceId
    )
    WHERE Deleted = 0
)
WHERE Total IS NULL
    OR (Before + ifNull(Listed, 0) > {offset:UInt64} AND Before < {offset:UInt64} + {limit:UInt64})
    OR Before = 0
ORDER BY Start, TraceId

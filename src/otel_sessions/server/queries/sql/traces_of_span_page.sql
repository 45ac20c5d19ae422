-- The traces that a page of a session's spans is in: `Before` spans of the session are in traces that started earlier.
SELECT TraceId, Start, End, SpanCount, Before, Total
FROM (
    SELECT
        TraceId,
        Start,
        End,
        SpanCount,
        sum(SpanCount) OVER (ORDER BY Start, TraceId ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - SpanCount AS Before,
        sum(SpanCount) OVER () AS Total
    FROM (
        SELECT TraceId, Start, End, SpanCount, Deleted
        FROM session_traces
        WHERE Key = {key:String}
            AND IdHash = {hash:UInt128}
        ORDER BY TraceId, Version DESC
        LIMIT 1 BY TraceId
    )
    WHERE Deleted = 0 AND SpanCount > 0
)
WHERE Before + SpanCount > {offset:UInt64} AND Before < {offset:UInt64} + {limit:UInt64}
    OR Before = 0
ORDER BY Start, TraceId

-- Traces that a moment cuts in two, and log records in no trace around it.
SELECT TraceId
FROM trace_facts
GROUP BY TraceId
HAVING if(
    max(IsCell) = 1,
    min(Start) <= {last:UInt64} AND max(End) >= {first:UInt64},
    min(Start) < {before:UInt64} AND max(End) >= {before:UInt64}
)
ORDER BY TraceId

SELECT ${columns}
FROM (
    SELECT ${columns}, Deleted
    FROM session_traces
    WHERE Key = {key:String}
        AND cityHash64(Id) IN (SELECT cityHash64(arrayJoin({ids:Array(String)})))
        AND Id IN {ids:Array(String)}
    ORDER BY Id, TraceId, Version DESC
    LIMIT 1 BY Id, TraceId
)
WHERE Deleted = 0
ORDER BY Id, Start, TraceId

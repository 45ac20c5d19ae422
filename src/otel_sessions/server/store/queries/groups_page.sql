SELECT ${columns}, count() OVER () AS Total
FROM (
    SELECT ${columns}, Deleted
    FROM session_traces
    WHERE Key = {key:String}
        AND cityHash64(Id) = cityHash64({id:String})
        AND Id = {id:String}
    ORDER BY TraceId, Version DESC
    LIMIT 1 BY TraceId
)
WHERE Deleted = 0
ORDER BY Start, TraceId
LIMIT {limit:UInt64} OFFSET {offset:UInt64}

SELECT ${columns}
FROM scores FINAL
WHERE (TraceId, Id) IN (
    SELECT TraceId, ScoreId
    FROM session_scores FINAL
    WHERE Key = {key:String} AND IdHash = {hash:UInt128}
    ORDER BY Time, ScoreId
    LIMIT {limit:UInt64} OFFSET {offset:UInt64}
)
ORDER BY Time, Id

SELECT ${columns}
FROM scores FINAL
WHERE (TraceId, Id) IN (
    SELECT TraceId, ScoreId
    FROM session_scores FINAL
    WHERE Key = {key:String} AND IdHash = {hash:UInt128} AND ScoreId = {score_id:UInt128}
)

-- On a trace of a session, or counted in a session.
TraceId IN (SELECT Unit FROM (${units}) WHERE NOT UnitIsCell)
OR (TraceId, Id) IN (
    SELECT TraceId, ScoreId
    FROM session_scores FINAL
    WHERE Key = {key:String} AND IdHash IN (SELECT IdHash FROM session_traces FINAL WHERE Key = {key:String} AND ${which})
)

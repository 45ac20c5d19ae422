SELECT TraceId AS Unit, IsCell AS UnitIsCell
FROM session_traces FINAL
WHERE Key = {key:String} AND ${which}

SELECT TraceId, SpanCount
FROM session_traces FINAL
WHERE Key = {key:String}
    AND cityHash64(Id) = cityHash64({id:String})
    AND Id = {id:String}
ORDER BY TraceId

SELECT TraceId, SpanCount, Start, End
FROM session_traces FINAL
WHERE Key = {key:String}
    AND IdHash = {hash:UInt128}
ORDER BY TraceId

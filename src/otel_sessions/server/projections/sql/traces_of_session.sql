SELECT TraceId, SpanCount
FROM session_traces FINAL
WHERE Key = {key:String}
    AND IdHash = reinterpretAsUInt128(substring(SHA256({id:String}), 1, 16))
ORDER BY TraceId

-- With how much of the session is in each: spans, or for log records in no trace the entries of the list of calls.
SELECT TraceId, if(IsCell, ifNull(Listed, 0), SpanCount)
FROM session_traces FINAL
WHERE Key = {key:String}
    AND IdHash = {hash:UInt128}
ORDER BY TraceId

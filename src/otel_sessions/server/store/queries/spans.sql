-- Of a span that was delivered in several states, the latest.
SELECT ${columns}
FROM otel_traces
WHERE Timestamp >= fromUnixTimestamp64Nano({first:Int64})
    AND Timestamp <= fromUnixTimestamp64Nano({last:Int64})
    AND TraceId IN {trace_ids:Array(String)}
    AND (TraceId, SpanId) IN (
        SELECT arrayJoin(arrayZip({of_trace_ids:Array(String)}, {span_ids:Array(String)})) AS Pair
    )
ORDER BY
    if(EndTimeUnixNano = 0, toUInt64(toUnixTimestamp64Nano(Timestamp)) + Duration, EndTimeUnixNano) DESC,
    if(StartTimeUnixNano = 0, toUInt64(toUnixTimestamp64Nano(Timestamp)), StartTimeUnixNano) ASC
LIMIT 1 BY TraceId, SpanId

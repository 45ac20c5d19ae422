-- Of a span that was delivered in several states, the latest.
SELECT ${columns}
FROM otel_traces
WHERE ${which}
ORDER BY
    if(EndTimeUnixNano = 0, toUInt64(toUnixTimestamp64Nano(Timestamp)) + Duration, EndTimeUnixNano) DESC,
    if(StartTimeUnixNano = 0, toUInt64(toUnixTimestamp64Nano(Timestamp)), StartTimeUnixNano) ASC
LIMIT 1 BY TraceId, SpanId

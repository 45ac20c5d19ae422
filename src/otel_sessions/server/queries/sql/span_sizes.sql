-- How many bytes each span takes in memory; of one that was delivered in several states the largest.
SELECT TraceId, SpanId, max(byteSize(${columns}))
FROM otel_traces
WHERE ${which}
GROUP BY TraceId, SpanId

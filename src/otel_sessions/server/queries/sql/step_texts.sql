-- What went wrong in each span, as its status or else its first exception says, cut, with its length; and how much the span holds.
SELECT
    TraceId,
    SpanId,
    substringUTF8(any(Said), 1, {longest:UInt32}),
    lengthUTF8(any(Said)),
    max(Bytes)
FROM (
    SELECT
        TraceId,
        SpanId,
        if(StatusMessage = '', arrayFirst(one -> one != '', arrayMap(one -> one['exception.message'], Events.Attributes)), StatusMessage) AS Said,
        byteSize(SpanAttributes, Events.Attributes) AS Bytes
    FROM otel_traces
    WHERE ${which}
)
GROUP BY TraceId, SpanId

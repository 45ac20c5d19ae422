-- The moment up to which this share of all bytes is: a trace is as large as its facts let expect, and as old as its end.
SELECT quantileExactWeighted({share:Float64})(Moment, toUInt64(ceil(ifNull(Share, 0) * Bytes)))
FROM (
    SELECT
        max(End) AS Moment,
        sum(length(Facts)) / (SELECT sum(length(Facts)) FROM trace_facts) AS Share,
        {bytes_of_traces:UInt64} AS Bytes
    FROM trace_facts
    GROUP BY TraceId
    UNION ALL
    SELECT
        toUInt64(toUnixTimestamp64Nano(max(Timestamp))) AS Moment,
        count() / (SELECT count() FROM otel_logs) AS Share,
        {bytes_of_logs:UInt64} AS Bytes
    FROM otel_logs
    GROUP BY toStartOfMinute(Timestamp)
)

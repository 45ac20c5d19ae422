Timestamp >= fromUnixTimestamp64Nano({first:Int64})
    AND Timestamp <= fromUnixTimestamp64Nano({last:Int64})
    AND TraceId IN {trace_ids:Array(String)}
    AND (TraceId, SpanId) IN (
        SELECT arrayJoin(arrayZip({of_trace_ids:Array(String)}, {span_ids:Array(String)})) AS Pair
    )

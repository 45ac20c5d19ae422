-- A record that is counted in what is kept stays as long as that.
ALTER TABLE otel_logs DELETE
WHERE Timestamp <= fromUnixTimestamp64Nano({last:Int64})
    AND CountedIn NOT IN (
        SELECT TraceId
        FROM trace_facts
        GROUP BY TraceId
        HAVING min(Start) < {before:UInt64} AND max(End) >= {before:UInt64}
    )

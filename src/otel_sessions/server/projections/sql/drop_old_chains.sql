-- What a trace holds that is kept stays as long as that.
ALTER TABLE message_chains DELETE
WHERE Timestamp <= fromUnixTimestamp64Nano({last:Int64})
    AND Unit NOT IN (
        SELECT TraceId
        FROM trace_facts
        GROUP BY TraceId
        HAVING min(Start) < {before:UInt64} AND max(End) >= {before:UInt64}
    )

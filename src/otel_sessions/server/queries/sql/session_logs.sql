-- The log records from one place to another, the first ones that have at most `max_bytes` together, and the first whatever its size.
SELECT * EXCEPT (Size, Before)
FROM (
    SELECT
        *,
        sum(Size) OVER (
            ORDER BY Time ${direction}, Segment ${direction}, SegmentRow ${direction}, Tie ${direction}
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) - Size AS Before
    FROM (
        SELECT ${columns}, ${tie} AS Tie, byteSize(${columns}) AS Size
        FROM otel_logs
        WHERE Timestamp >= fromUnixTimestamp64Nano({first_time:Int64})
            AND Timestamp <= fromUnixTimestamp64Nano({last_time:Int64})
            AND (${may_be})
            AND (${of_session})
            AND ${where}
            AND ${after}
    )
)
WHERE Before = 0 OR Before + Size <= {max_bytes:UInt64}
ORDER BY Time ${direction}, Segment ${direction}, SegmentRow ${direction}, Tie ${direction}

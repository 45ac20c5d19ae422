-- The places of a page's log records, in their order, and the number of all as rows before the limit.
SELECT toString(toUnixTimestamp64Nano(Timestamp)) AS Nanos, toString(Segment) AS InSegment, SegmentRow, toString(${tie}) AS Tie, toUInt8(${after}) AS After
FROM otel_logs
PREWHERE ${may_be}
WHERE (${of_session})
    AND ${where}
ORDER BY After DESC, Timestamp ${direction}, Segment ${direction}, SegmentRow ${direction}, ${tie} ${direction}
LIMIT {limit:UInt64} OFFSET {offset:UInt64}
-- The exact condition is cheap for the few rows that are left, but has a price for each block.
SETTINGS exact_rows_before_limit = 1, short_circuit_function_evaluation = 'disable', preferred_block_size_bytes = 33554432, max_block_size = 1048576

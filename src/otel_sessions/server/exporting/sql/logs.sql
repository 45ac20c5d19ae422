-- One statement sees one state of the table, however long it is read.
SELECT ${columns}
FROM otel_logs
WHERE ${which}
ORDER BY otel_logs.Timestamp, TraceId, SpanId, ObservedTimestamp, sipHash64(Body, LogAttributes, ResourceAttributes)
SETTINGS max_block_size = ${rows}, max_threads = 2, max_bytes_before_external_sort = ${sort_bytes}

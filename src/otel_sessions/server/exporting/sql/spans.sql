-- One statement sees one state of the table, however long it is read.
SELECT ${columns}
FROM otel_traces
WHERE ${which}
ORDER BY otel_traces.Timestamp, TraceId, SpanId, StartTimeUnixNano, EndTimeUnixNano, sipHash64(SpanAttributes)
SETTINGS max_block_size = ${rows}, max_threads = 2, max_bytes_before_external_sort = ${sort_bytes}

-- As the Collector's ClickHouse exporter creates it (v0.161.0), which may have done so before, but for rows of its own
-- only: grouping spans by trace costs every insert, and ours are grouped already where their facts are written.
CREATE MATERIALIZED VIEW IF NOT EXISTS otel_traces_trace_id_ts_mv TO otel_traces_trace_id_ts AS
SELECT
    TraceId,
    min(Timestamp) AS Start,
    max(Timestamp) AS End
FROM otel_traces
WHERE TraceId != '' AND StartTimeUnixNano = 0
GROUP BY TraceId

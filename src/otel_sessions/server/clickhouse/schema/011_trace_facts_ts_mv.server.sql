-- When a trace was, for the traces that came through us. 4294967295 is the last second of a DateTime, in 2106.
CREATE MATERIALIZED VIEW IF NOT EXISTS trace_facts_ts_mv TO otel_traces_trace_id_ts AS
SELECT
    lower(leftPad(hex(TraceId), 32, '0')) AS TraceId,
    toDateTime(least(intDiv(Start, 1000000000), 4294967295)) AS Start,
    toDateTime(least(intDiv(End, 1000000000), 4294967295)) AS End
FROM trace_facts

-- What a deletion under way takes: spans; `*` is all of a trace, an empty span id leads out what was derived of it.
CREATE TABLE IF NOT EXISTS doomed_spans (
    TraceId String,
    SpanId String
) ENGINE = MergeTree
ORDER BY (TraceId, SpanId)

-- What a deletion under way takes: spans, or whole traces where no span id is given.
CREATE TABLE IF NOT EXISTS doomed_spans (
    TraceId String,
    SpanId String
) ENGINE = MergeTree
ORDER BY (TraceId, SpanId)

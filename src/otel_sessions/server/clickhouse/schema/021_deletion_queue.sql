-- The spans that a deletion under way takes, by the version of the deletion. `*` as a span id is the whole trace; an empty one says that
-- what was derived from the trace is replaced.
CREATE TABLE IF NOT EXISTS deletion_queue (
    Version UInt64,
    TraceId String,
    SpanId String
) ENGINE = MergeTree
ORDER BY (Version, TraceId, SpanId)

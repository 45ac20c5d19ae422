-- Scores, from events and from requests, each once: the id is computed from what a score says. The sessions that it is counted in follow
-- the spans of its trace, and are written again when these change.
CREATE TABLE IF NOT EXISTS scores (
    Id UInt128 CODEC(LZ4),
    TraceId UInt128 COMMENT '0 for none' CODEC(LZ4),
    SpanId UInt64 COMMENT '0 for none' CODEC(LZ4),
    Time UInt64 COMMENT 'Nanoseconds UTC' CODEC(ZSTD(1)),
    Name LowCardinality(String),
    Value Nullable(Float64) CODEC(ZSTD(1)),
    Label Nullable(String) CODEC(ZSTD(1)),
    Comment Nullable(String) CODEC(ZSTD(1)),
    Source LowCardinality(String) COMMENT 'otel, api or page',
    Author Nullable(String) CODEC(ZSTD(1)),
    Posted UInt8 COMMENT 'Came by a request, so that it is in no other table',
    GivenKeys Array(LowCardinality(String)) COMMENT 'Session keys that it names itself' CODEC(ZSTD(1)),
    GivenIds Array(String) COMMENT 'Their values' CODEC(ZSTD(1)),
    GivenByResource UInt8,
    Keys Array(LowCardinality(String)) COMMENT 'Keys of the sessions that it is counted in' CODEC(ZSTD(1)),
    Ids Array(String) COMMENT 'Their values' CODEC(ZSTD(1)),
    Levels Array(UInt8) COMMENT 'What it is on there: 0 session, 1 trace, 2 span' CODEC(ZSTD(1)),
    Version UInt64 CODEC(LZ4)
) ENGINE = ReplacingMergeTree(Version)
ORDER BY (TraceId, Id)

-- The scores that are counted in a session, for its lists, filters and sums.
CREATE TABLE IF NOT EXISTS session_scores (
    Key LowCardinality(String) COMMENT 'Session key',
    IdHash UInt128 COMMENT 'As in session_traces' CODEC(LZ4),
    ScoreId UInt128 CODEC(LZ4),
    TraceId UInt128 CODEC(LZ4),
    Level UInt8 COMMENT '0 session, 1 trace, 2 span' CODEC(LZ4),
    Time UInt64 COMMENT 'Nanoseconds UTC' CODEC(ZSTD(1)),
    Name LowCardinality(String),
    Value Nullable(Float64) CODEC(ZSTD(1)),
    Label Nullable(String) CODEC(ZSTD(1)),
    Version UInt64 CODEC(LZ4),
    Deleted UInt8 CODEC(LZ4)
) ENGINE = ReplacingMergeTree(Version, Deleted)
ORDER BY (Key, IdHash, ScoreId)

-- Remarks on sessions, each once.
CREATE TABLE IF NOT EXISTS annotations (
    Key LowCardinality(String) COMMENT 'Session key',
    IdHash UInt128 COMMENT 'As in session_traces' CODEC(LZ4),
    AnnotationId UInt128 CODEC(LZ4),
    Time UInt64 COMMENT 'Nanoseconds UTC' CODEC(ZSTD(1)),
    Text String CODEC(ZSTD(1)),
    Author Nullable(String) CODEC(ZSTD(1)),
    TraceId UInt128 COMMENT '0 for none' CODEC(ZSTD(1)),
    SpanId UInt64 COMMENT '0 for none' CODEC(ZSTD(1)),
    Version UInt64 CODEC(LZ4)
) ENGINE = ReplacingMergeTree(Version)
ORDER BY (Key, IdHash, AnnotationId)

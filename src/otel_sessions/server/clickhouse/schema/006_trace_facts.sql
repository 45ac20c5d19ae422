-- What counting needs of each span, by trace: one row for what one commit added. Repetition changes nothing.
CREATE TABLE IF NOT EXISTS trace_facts (
    TraceId UInt128 CODEC(ZSTD(1)),
    Version UInt64 CODEC(ZSTD(1)),
    Start UInt64 COMMENT 'First start of these spans, nanoseconds UTC' CODEC(ZSTD(1)),
    End UInt64 COMMENT 'Last end of these spans, nanoseconds UTC' CODEC(ZSTD(1)),
    Facts String COMMENT 'JSON' CODEC(ZSTD(1))
) ENGINE = MergeTree
ORDER BY TraceId
SETTINGS index_granularity = 256

-- One row for one trace as seen from one session. Not partitioned by time: a late span moves the start, and the row
-- with the older start would stay. Lists read the narrow columns of all sessions of a key, `Content` only of those on
-- the page: small compressed blocks make that cheap.
CREATE TABLE IF NOT EXISTS session_traces (
    Key LowCardinality(String) COMMENT 'Session key',
    Id String COMMENT 'Its value' CODEC(ZSTD(1)),
    IdHash UInt128 MATERIALIZED reinterpretAsUInt128(substring(SHA256(Id), 1, 16))
        COMMENT 'Half of its SHA-256, which stands for the id: two ids that share it cannot be made' CODEC(ZSTD(1)),
    TraceId UInt128 CODEC(ZSTD(1)),
    Version UInt64 CODEC(ZSTD(1)),
    Deleted UInt8 CODEC(ZSTD(1)),
    Start UInt64 COMMENT 'Nanoseconds UTC' CODEC(ZSTD(1)),
    End UInt64 COMMENT 'Nanoseconds UTC' CODEC(ZSTD(1)),
    SpanCount UInt64 CODEC(ZSTD(1)),
    Failed UInt8 CODEC(ZSTD(1)),
    Name Nullable(String) COMMENT 'Session name' CODEC(ZSTD(1)),
    NameAfter UInt64 COMMENT 'From Start to the start of the span that gave the name' CODEC(ZSTD(1)),
    TotalTokens Nullable(UInt64) CODEC(ZSTD(1)),
    TotalCost Nullable(Decimal(76, 38)) COMMENT 'USD, for filters and order; Content has it exactly' CODEC(ZSTD(1)),
    UserIds Array(String) CODEC(ZSTD(1)),
    Services Array(LowCardinality(String)) CODEC(ZSTD(1)),
    Environments Array(LowCardinality(String)) CODEC(ZSTD(1)),
    Tags Array(LowCardinality(String)) CODEC(ZSTD(1)),
    Models Array(LowCardinality(String)) CODEC(ZSTD(1)),
    MetadataKeys Array(LowCardinality(String)) CODEC(ZSTD(1)),
    MetadataAfter Array(UInt64) COMMENT 'From Start to the start of the span that gave the value' CODEC(ZSTD(1)),
    MetadataValues Array(String) COMMENT 'JSON' CODEC(ZSTD(1)),
    Content String COMMENT 'JSON: the rest of what is shown' CODEC(ZSTD(1)),
    INDEX idx_text lowerUTF8(concat(Id, '\n', ifNull(Name, ''))) TYPE ngrambf_v1(4, 4096, 2, 0) GRANULARITY 1,
    INDEX idx_name Name TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_user UserIds TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_metadata MetadataValues TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = ReplacingMergeTree(Version, Deleted)
ORDER BY (Key, IdHash, TraceId)
SETTINGS index_granularity = 256, min_compress_block_size = 16384, max_compress_block_size = 16384

-- One row for one trace as seen from one session. Not partitioned by time: a late span moves the start, and the row
-- with the older start would stay. The id is compared too, as a hash of chosen ids may be made to collide.
CREATE TABLE IF NOT EXISTS session_traces (
    Key LowCardinality(String) COMMENT 'Session key',
    Id String COMMENT 'Its value' CODEC(ZSTD(1)),
    TraceId UInt128 CODEC(ZSTD(1)),
    Version UInt64 CODEC(ZSTD(1)),
    Deleted UInt8 CODEC(ZSTD(1)),
    Start UInt64 COMMENT 'Nanoseconds UTC' CODEC(ZSTD(1)),
    End UInt64 COMMENT 'Nanoseconds UTC' CODEC(ZSTD(1)),
    SpanCount UInt64 CODEC(ZSTD(1)),
    Failed UInt8 CODEC(ZSTD(1)),
    Conflict UInt8 CODEC(ZSTD(1)),
    Name Nullable(String) COMMENT 'Session name' CODEC(ZSTD(1)),
    NameAt UInt64 COMMENT 'Start of the span that gave the name' CODEC(ZSTD(1)),
    DatedName String MATERIALIZED if(isNull(Name), '', concat(leftPad(hex(NameAt), 16, '0'), ifNull(Name, '')))
        COMMENT 'Empty, or hex of NameAt, then Name: the greatest is the latest' CODEC(ZSTD(1)),
    TotalTokens Nullable(UInt64) CODEC(ZSTD(1)),
    TotalCost Nullable(Decimal(76, 38)) COMMENT 'USD, for filters and order; ModelUsage has it exactly' CODEC(ZSTD(1)),
    UserIds Array(String) CODEC(ZSTD(1)),
    Services Array(LowCardinality(String)) CODEC(ZSTD(1)),
    Environments Array(LowCardinality(String)) CODEC(ZSTD(1)),
    Tags Array(LowCardinality(String)) CODEC(ZSTD(1)),
    Models Array(LowCardinality(String)) CODEC(ZSTD(1)),
    Operations Array(LowCardinality(String)) CODEC(ZSTD(1)),
    MetadataKeys Array(LowCardinality(String)) CODEC(ZSTD(1)),
    MetadataAt Array(UInt64) COMMENT 'Start of the span that gave the value' CODEC(ZSTD(1)),
    MetadataValues Array(String) COMMENT 'JSON' CODEC(ZSTD(1)),
    ModelUsage String COMMENT 'JSON: what each model was used for' CODEC(ZSTD(1))
) ENGINE = ReplacingMergeTree(Version, Deleted)
PRIMARY KEY (Key, cityHash64(Id), TraceId)
ORDER BY (Key, cityHash64(Id), TraceId, Id)
SETTINGS index_granularity = 256

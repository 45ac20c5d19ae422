-- One row for one session: what its trace groups come to, for lists to filter and sort by. `Version` is the commit up to which a row
-- follows `session_traces`. Most changes are new sessions: these are sorted after the older ones, so that `FINAL` merges the end of the
-- table only. A column that this version does not have yet, and a later one adds as a measure or facet, is added at the start.
CREATE OR REPLACE TABLE sessions (
    Key LowCardinality(String) COMMENT 'Session key',
    Id String COMMENT 'Its value' CODEC(LZ4),
    IdHash UInt128 COMMENT 'As in session_traces' CODEC(LZ4),
    Version UInt64 CODEC(LZ4),
    FirstVersion UInt64 COMMENT 'Version of the first row for this id; never changes' CODEC(LZ4),
    LastActive UInt64 COMMENT 'End of the last span, nanoseconds UTC' CODEC(LZ4),
    Created UInt64 COMMENT 'Start of the first span, nanoseconds UTC' CODEC(LZ4),
    Cost Nullable(Decimal(76, 38)) COMMENT 'USD' CODEC(ZSTD(1)),
    Tokens Nullable(UInt64) CODEC(LZ4),
    Traces UInt64 CODEC(LZ4),
    FailedTraces UInt64 CODEC(LZ4),
    Name Nullable(String) COMMENT 'The last one' CODEC(ZSTD(1)),
    UserIds Array(String) CODEC(ZSTD(1)),
    Environments Array(String) CODEC(ZSTD(1)),
    Services Array(String) CODEC(ZSTD(1)),
    Tags Array(String) CODEC(ZSTD(1)),
    Models Array(String) CODEC(ZSTD(1)),
    MetadataKeys Array(String) CODEC(ZSTD(1)),
    MetadataValues Array(String) COMMENT 'The last value of each key, JSON' CODEC(ZSTD(1)),
    INDEX idx_text lowerUTF8(concat(Id, '\n', ifNull(Name, ''))) TYPE ngrambf_v1(4, 4096, 2, 0) GRANULARITY 1
) ENGINE = ReplacingMergeTree(Version)
ORDER BY (Key, FirstVersion, IdHash)
SETTINGS index_granularity = 512, merge_selector_base = 10, merge_selector_blurry_base_scale_factor = 10

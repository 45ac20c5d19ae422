-- Names that sessions were given by hand, which come before those of their spans; NULL for a session whose name was taken back.
CREATE TABLE IF NOT EXISTS session_names (
    Key LowCardinality(String) COMMENT 'Session key',
    IdHash UInt128 COMMENT 'As in session_traces' CODEC(LZ4),
    Name Nullable(String) CODEC(ZSTD(1)),
    Version UInt64 CODEC(LZ4)
) ENGINE = ReplacingMergeTree(Version)
ORDER BY (Key, IdHash)

-- Prices that were given by requests, one row a change, so that what was counted before a change can be priced as it was then.
CREATE TABLE IF NOT EXISTS prices (
    Model String COMMENT 'The whole name, or its beginning and *',
    Provider Nullable(String) COMMENT 'NULL for any',
    Input Nullable(String) COMMENT 'USD per million tokens, as all prices; decimal',
    Output Nullable(String),
    CacheRead Nullable(String),
    CacheWrite Nullable(String),
    ValidFrom Nullable(String) COMMENT 'The first day, UTC',
    ValidUntil Nullable(String) COMMENT 'The first day after it, UTC',
    Time UInt64 COMMENT 'When the change was made, nanoseconds since 1970',
    Removed UInt8 COMMENT '1 if the price was taken back',
    Version UInt64 COMMENT 'What has a greater version was counted after the change'
) ENGINE = MergeTree
ORDER BY Version

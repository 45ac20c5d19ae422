-- Rows that a server writes to find out whether rows can be written. They say nothing; merges leave one.
CREATE TABLE IF NOT EXISTS store_probe (
    Filler String COMMENT 'Bytes that do not compress' CODEC(NONE)
) ENGINE = ReplacingMergeTree
ORDER BY tuple()

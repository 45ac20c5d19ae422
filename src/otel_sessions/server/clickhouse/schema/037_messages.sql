-- Messages, each once for an owner and a day, however many records repeat it.
CREATE TABLE IF NOT EXISTS messages (
    Key LowCardinality(String) COMMENT 'As in message_chains' CODEC(ZSTD(1)),
    Owner UInt128 COMMENT 'As in message_chains' CODEC(ZSTD(1)),
    Digest UInt64 COMMENT 'Which message it is' CODEC(ZSTD(1)),
    Timestamp DateTime64(9) CODEC(ZSTD(1)),
    Message String COMMENT 'JSON' CODEC(ZSTD(1)),
    Text String COMMENT 'What is searched: its words in lower case' CODEC(ZSTD(1)),
    INDEX idx_text Text TYPE text(tokenizer = splitByNonAlpha)
) ENGINE = ReplacingMergeTree
PARTITION BY toDate(Timestamp)
ORDER BY (Key, Owner, Digest)
SETTINGS index_granularity = 512, merge_selector_base = 10, merge_selector_blurry_base_scale_factor = 10

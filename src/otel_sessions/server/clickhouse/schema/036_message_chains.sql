-- Which messages a span or log record holds, as ids; the messages are in `messages`. Sorted by who they are of: what a record repeats of the
-- one before it then lies beside it, and takes no space.
CREATE TABLE IF NOT EXISTS message_chains (
    Key LowCardinality(String) COMMENT 'Session key of the owner; empty if the owner is a unit' CODEC(ZSTD(1)),
    Owner UInt128 COMMENT 'IdHash of the session that the record names, else its unit' CODEC(ZSTD(1)),
    Unit UInt128 COMMENT 'The trace, or five minutes of a session' CODEC(ZSTD(1)),
    Record UInt64 COMMENT 'The span, or the log record as in CountedAs' CODEC(ZSTD(1)),
    Parent UInt64 COMMENT 'The span that a log record was written in' CODEC(ZSTD(1)),
    Timestamp DateTime64(9) CODEC(ZSTD(1)),
    State UInt128 COMMENT 'Of a span that was sent in several states the greatest counts' CODEC(ZSTD(1)),
    Input String COMMENT 'Digests of messages, 8 bytes each' CODEC(ZSTD(1)),
    InputLikenesses String COMMENT 'The same for what a model answered and the next call repeats, 8 bytes each' CODEC(ZSTD(1)),
    InputRoles String COMMENT 'The first letter of each role' CODEC(ZSTD(1)),
    Output String CODEC(ZSTD(1)),
    OutputLikenesses String CODEC(ZSTD(1)),
    OutputRoles String CODEC(ZSTD(1)),
    IsNew UInt8 COMMENT 'The input repeats nothing that was said before' CODEC(ZSTD(1)),
    Compacted UInt8 COMMENT 'What was said before was summed up' CODEC(ZSTD(1)),
    IsCounted UInt8 COMMENT '0 for a log record that is known by its parent only' CODEC(ZSTD(1)),
    INDEX idx_unit Unit TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = ReplacingMergeTree(State)
PARTITION BY toDate(Timestamp)
ORDER BY (Key, Owner, Unit, Record)
SETTINGS index_granularity = 256, merge_selector_base = 10, merge_selector_blurry_base_scale_factor = 10

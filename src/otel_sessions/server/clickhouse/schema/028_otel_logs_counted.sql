-- Where the facts of a log record are in trace_facts; 0 for a record that tells of nothing that is counted.
ALTER TABLE otel_logs
    ADD COLUMN IF NOT EXISTS CountedIn UInt128 COMMENT 'The trace, or five minutes of a session' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS CountedAs UInt64 COMMENT 'The id of the record there' CODEC(ZSTD(1)),
    ADD INDEX IF NOT EXISTS idx_counted_in CountedIn TYPE bloom_filter(0.01) GRANULARITY 1

-- What a map of strings cannot hold, and which record a row is of those that were acknowledged, so that one that comes
-- again is recognised. Empty where a Collector wrote the row.
ALTER TABLE otel_logs
    ADD COLUMN IF NOT EXISTS ObservedTimestamp UInt64 CODEC(Delta, ZSTD(1)),
    ADD COLUMN IF NOT EXISTS Flags UInt32 CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS DroppedAttributesCount UInt32 CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS BodyType LowCardinality(String) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS LogAttributeTypes Map(LowCardinality(String), LowCardinality(String)) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS ResourceAttributeTypes Map(LowCardinality(String), LowCardinality(String)) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS ScopeAttributeTypes Map(LowCardinality(String), LowCardinality(String)) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS Segment UInt64 COMMENT 'Of the log of requests' CODEC(Delta, ZSTD(1)),
    ADD COLUMN IF NOT EXISTS SegmentRow UInt32 COMMENT 'Place of the record in the segment' CODEC(Delta, ZSTD(1)),
    ADD INDEX IF NOT EXISTS idx_segment Segment TYPE minmax GRANULARITY 1,
    MODIFY SETTING non_replicated_deduplication_window = 10000

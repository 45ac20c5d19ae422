-- What a map of strings cannot hold. Empty where a Collector wrote the row.
ALTER TABLE otel_logs
    ADD COLUMN IF NOT EXISTS ObservedTimestamp UInt64 CODEC(Delta, ZSTD(1)),
    ADD COLUMN IF NOT EXISTS Flags UInt32 CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS DroppedAttributesCount UInt32 CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS BodyType LowCardinality(String) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS LogAttributeTypes Map(LowCardinality(String), LowCardinality(String)) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS ResourceAttributeTypes Map(LowCardinality(String), LowCardinality(String)) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS ScopeAttributeTypes Map(LowCardinality(String), LowCardinality(String)) CODEC(ZSTD(1)),
    MODIFY SETTING non_replicated_deduplication_window = 10000

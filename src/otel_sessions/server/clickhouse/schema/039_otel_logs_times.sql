-- What an export needs to write a log record as it came. The time of a record may be computed, so the one that came stands beside it:
-- rows of earlier versions, and those that a Collector wrote, have only the first.
ALTER TABLE otel_logs
    ADD COLUMN IF NOT EXISTS TimeUnixNano UInt64 DEFAULT toUInt64(toUnixTimestamp64Nano(Timestamp)) CODEC(Delta, ZSTD(1)),
    ADD COLUMN IF NOT EXISTS ResourceDroppedAttributesCount UInt32 CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS ScopeDroppedAttributesCount UInt32 CODEC(ZSTD(1))

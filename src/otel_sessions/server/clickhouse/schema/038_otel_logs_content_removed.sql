-- The words of the record were removed, so its id, which is computed of all that a record says, is the one that is stored.
ALTER TABLE otel_logs ADD COLUMN IF NOT EXISTS ContentRemoved UInt8 CODEC(ZSTD(1))

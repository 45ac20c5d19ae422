-- Facts may be of log records in no trace, under the id of five minutes of their session.
ALTER TABLE trace_facts ADD COLUMN IF NOT EXISTS IsCell UInt8 CODEC(ZSTD(1))

-- How many calls have no known cost; rows of earlier versions have it in their content only.
ALTER TABLE session_traces
    ADD COLUMN IF NOT EXISTS Unpriced UInt64 DEFAULT arraySum(model -> JSONExtractUInt(model, 4), JSONExtractArrayRaw(Content, 9)) COMMENT 'Calls whose cost is not known' CODEC(ZSTD(1))

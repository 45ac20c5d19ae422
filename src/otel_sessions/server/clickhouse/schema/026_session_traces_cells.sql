-- A row may be of log records in no trace: five minutes of a session, with the turns that they tell of. What is listed are
-- calls; rows of earlier versions do not say how many.
ALTER TABLE session_traces
    ADD COLUMN IF NOT EXISTS IsCell UInt8 COMMENT 'Of log records in no trace' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS Turns Array(UInt64) COMMENT 'Hashes of the ids of their turns' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS TurnStates Array(UInt64) COMMENT 'Twice the end of the last call of each turn, nanoseconds UTC; odd if that call failed' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS Listed Nullable(UInt64) COMMENT 'Entries of the list of calls' CODEC(ZSTD(1))

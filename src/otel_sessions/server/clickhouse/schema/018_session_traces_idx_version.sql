-- What is new is found by its version.
ALTER TABLE session_traces ADD INDEX IF NOT EXISTS idx_version Version TYPE minmax GRANULARITY 8

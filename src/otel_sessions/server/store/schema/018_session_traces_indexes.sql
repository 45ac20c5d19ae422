-- What lists looked up is looked up in `sessions`; what is new is found by its version.
ALTER TABLE session_traces
    DROP INDEX IF EXISTS idx_text,
    DROP INDEX IF EXISTS idx_name,
    DROP INDEX IF EXISTS idx_user,
    DROP INDEX IF EXISTS idx_metadata,
    ADD INDEX IF NOT EXISTS idx_version Version TYPE minmax GRANULARITY 8

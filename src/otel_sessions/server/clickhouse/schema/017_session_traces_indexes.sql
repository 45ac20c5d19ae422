-- What lists looked up is looked up in `sessions`.
ALTER TABLE session_traces
    DROP INDEX IF EXISTS idx_text,
    DROP INDEX IF EXISTS idx_name,
    DROP INDEX IF EXISTS idx_user,
    DROP INDEX IF EXISTS idx_metadata

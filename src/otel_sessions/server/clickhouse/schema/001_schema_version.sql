CREATE TABLE IF NOT EXISTS schema_version (
    Version UInt32,
    Name String,
    AppliedAt DateTime DEFAULT now()
) ENGINE = MergeTree
ORDER BY Version

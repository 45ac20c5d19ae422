SELECT 1 FROM system.tables WHERE database = currentDatabase() AND name = 'schema_version'

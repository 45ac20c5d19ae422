SELECT max(Version) FROM schema_version

-- ClickHouse writes the definition of a table to the disk at once. So is the row that says which steps were applied.
ALTER TABLE schema_version
    MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1

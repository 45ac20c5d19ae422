-- The tables that the noted steps made are on the disk when they are made; so is the note.
ALTER TABLE schema_version
    MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1

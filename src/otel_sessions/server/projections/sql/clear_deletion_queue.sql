DELETE FROM deletion_queue WHERE Version IN {versions:Array(UInt64)}

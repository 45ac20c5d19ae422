SELECT count() FROM deletion_queue WHERE Version = {version:UInt64}

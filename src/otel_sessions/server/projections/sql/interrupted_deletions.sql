SELECT DISTINCT Version FROM deletion_queue

-- Which server may write. The last row of each holder counts; `Since` is when it took the lease.
CREATE TABLE IF NOT EXISTS server_lease (
    Holder UUID,
    Since DateTime64(6, 'UTC'),
    Renewed DateTime64(6, 'UTC'),
    State LowCardinality(String) COMMENT 'bid, held, released or refused',
    Host String,
    Pid UInt32
) ENGINE = ReplacingMergeTree(Renewed)
ORDER BY Holder

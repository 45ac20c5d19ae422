-- How often each of these records is stored. What they say is compared as the bytes that an insert writes.
SELECT hex(substring(SHA256(formatRow('RowBinary', ${columns})), 1, 16)) AS Digest, count() AS Copies
FROM otel_logs
WHERE Timestamp >= fromUnixTimestamp64Nano({first:Int64})
    AND Timestamp <= fromUnixTimestamp64Nano({last:Int64})
    AND toUnixTimestamp64Nano(Timestamp) IN {moments:Array(Int64)}
GROUP BY Digest
HAVING Digest IN {digests:Array(String)}

SELECT Digest, any(Message)
FROM messages
WHERE (Key, Owner) IN (SELECT arrayJoin(arrayZip({keys:Array(String)}, {owners:Array(UInt128)})))
    AND Digest IN {digests:Array(UInt64)}
GROUP BY Digest

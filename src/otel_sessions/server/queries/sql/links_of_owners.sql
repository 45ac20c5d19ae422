-- Which messages owners have, each once.
SELECT Digest, any(Likeness), toString(any(Role))
FROM messages
WHERE (Key, Owner) IN (SELECT arrayJoin(arrayZip({keys:Array(String)}, {owners:Array(UInt128)})))
GROUP BY Digest

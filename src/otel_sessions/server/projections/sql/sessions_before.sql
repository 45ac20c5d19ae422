-- Sessions that began before a moment, in the order of `session_traces`; how many trace groups each had.
SELECT toString(Key) AS SessionKey, IdHash, max(Traces) AS GroupCount, 1 AS LostOne
FROM sessions
WHERE Created < {before:UInt64}
GROUP BY Key, IdHash
ORDER BY Key, IdHash

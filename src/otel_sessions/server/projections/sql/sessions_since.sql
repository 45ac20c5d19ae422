-- Sessions that a version or a later one changed, in the order of the table; how many trace groups, and whether one was lost.
SELECT toString(Key) AS SessionKey, IdHash, count() AS GroupCount, max(Deleted) AS LostOne
FROM session_traces
WHERE Version >= {from:UInt64}
    AND Key != ''
GROUP BY Key, IdHash
ORDER BY Key, IdHash

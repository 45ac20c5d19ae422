-- Sessions that a version or a later one changed, in the order of the table; how many trace groups, and whether one was lost.
SELECT toString(SessionKey) AS SessionKey, Hash, sum(Groups) AS GroupCount, max(LostOne) AS LostOne
FROM (
    SELECT Key AS SessionKey, IdHash AS Hash, count() AS Groups, max(Deleted) AS LostOne
    FROM session_traces
    WHERE Version >= {from:UInt64}
        AND Key != ''
    GROUP BY Key, IdHash
    UNION ALL
    SELECT Key AS SessionKey, IdHash AS Hash, 1 AS Groups, 0 AS LostOne
    FROM session_names
    WHERE Version >= {from:UInt64}
)
GROUP BY SessionKey, Hash
ORDER BY SessionKey, Hash

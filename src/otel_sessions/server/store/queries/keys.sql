SELECT toString(Key) AS SessionKey, uniqExact(IdHash) AS Sessions, min(Start) AS FirstSeen, max(End) AS LastSeen
FROM session_traces FINAL
GROUP BY Key
ORDER BY Sessions DESC, SessionKey

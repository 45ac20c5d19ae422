SELECT toString(Key) AS SessionKey, count() AS Sessions, min(Created) AS FirstSeen, max(LastActive) AS LastSeen
FROM sessions FINAL
GROUP BY Key
ORDER BY Sessions DESC, SessionKey

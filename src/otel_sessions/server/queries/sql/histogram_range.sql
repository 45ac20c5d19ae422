SELECT count() AS Sessions, min(LastActive) AS First, max(LastActive) AS Last
FROM sessions FINAL
WHERE Key = {key:String} AND ${where}

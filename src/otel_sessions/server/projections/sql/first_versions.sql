SELECT toUInt64(IdHash) AS Short, min(FirstVersion) FROM sessions GROUP BY Short ORDER BY Short

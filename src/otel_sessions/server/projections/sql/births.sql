SELECT toUInt64(IdHash) AS Short, Born FROM sessions WHERE ${which} ORDER BY Short

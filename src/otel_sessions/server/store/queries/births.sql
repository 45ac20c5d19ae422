SELECT toUInt64(bitAnd(IdHash, toUInt128(18446744073709551615))) AS Short, Born FROM sessions WHERE ${which} ORDER BY Short

SELECT toUInt64(bitAnd(TraceId, toUInt128(18446744073709551615))) AS Short FROM trace_facts GROUP BY Short ORDER BY Short

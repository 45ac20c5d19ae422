SELECT toUInt64(TraceId) AS Short FROM trace_facts GROUP BY Short ORDER BY Short

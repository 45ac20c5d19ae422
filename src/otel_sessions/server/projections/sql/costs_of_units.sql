SELECT CAST(Key, 'String') AS SessionKey, Id, TraceId, TotalCost, Unpriced
FROM session_traces FINAL
WHERE TraceId IN {units:Array(UInt128)}
    AND Deleted = 0

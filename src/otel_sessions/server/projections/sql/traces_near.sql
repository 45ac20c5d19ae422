-- Traces of sessions that overlap a time; five minutes of log records are no trace.
SELECT TraceId, toString(Key) AS SessionKey, IdHash, Start, End
FROM ${table} FINAL
PREWHERE (Key, IdHash) IN (SELECT arrayJoin(arrayZip({keys:Array(String)}, {hashes:Array(UInt128)})))
WHERE Deleted = 0
    AND NOT IsCell
    AND Start <= {last:UInt64}
    AND End >= {first:UInt64}

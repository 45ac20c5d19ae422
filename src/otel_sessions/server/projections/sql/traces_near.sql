-- Traces of sessions that overlap a time; five minutes of log records are no trace.
SELECT TraceId, IdHash, Start, End
FROM ${table} FINAL
PREWHERE Key = {key:String} AND IdHash IN {hashes:Array(UInt128)}
WHERE Deleted = 0
    AND NOT IsCell
    AND Start <= {last:UInt64}
    AND End >= {first:UInt64}

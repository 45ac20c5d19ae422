-- The traces with log records that name a session by a name which a span may outrank, where that decides.
SELECT DISTINCT TraceId
FROM otel_logs
PREWHERE (TraceId IN {whole:Array(String)} OR ${may_name})
    AND (hasAny(mapKeys(LogAttributes), {lesser:Array(String)}) OR ({has_resource:UInt8} AND has(mapKeys(ResourceAttributes), 'session.id')))
WHERE CountedAs = 0
    AND length(TraceId) = 32
    AND (${named} = {session:String}) != (TraceId IN {whole:Array(String)})
    AND ${rank} NOT IN (0, 65535)

-- The traces with log records that name a session by a name which a span may outrank, where that decides.
SELECT DISTINCT TraceId
FROM otel_logs
WHERE (TraceId IN {whole:Array(String)} OR ${may_name})
    AND CountedAs = 0
    AND length(TraceId) = 32
    AND (${named} = {session:String}) != (TraceId IN {whole:Array(String)})
    AND ${rank} NOT IN (0, 65535)

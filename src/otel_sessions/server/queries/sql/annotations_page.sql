SELECT AnnotationId, Text, Time, TraceId, SpanId, Author
FROM annotations FINAL
WHERE Key = {key:String} AND IdHash = {hash:UInt128}
ORDER BY Time, AnnotationId
LIMIT {limit:UInt64} OFFSET {offset:UInt64}

SELECT AnnotationId, Text, Time, TraceId, SpanId, Author
FROM annotations FINAL
WHERE Key = {key:String} AND IdHash = {hash:UInt128} AND AnnotationId = {annotation_id:UInt128}

SELECT Key, Id, AnnotationId, Text, Time, TraceId, SpanId, Author
FROM (SELECT * FROM annotations FINAL WHERE ${which}) AS Remarks
INNER JOIN (
    SELECT DISTINCT Key, IdHash, Id FROM session_traces WHERE (Key, IdHash) IN (SELECT Key, IdHash FROM annotations)
) AS Named USING (Key, IdHash)
ORDER BY Time, AnnotationId
SETTINGS max_block_size = ${rows}

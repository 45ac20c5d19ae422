-- Which ways to name a session other than by the first name the log records of the store have at all; the indexes tell.
SELECT
    (SELECT count() FROM (SELECT 1 FROM otel_logs WHERE hasAny(mapKeys(LogAttributes), {documents:Array(String)}) LIMIT 1)),
    (SELECT count() FROM (SELECT 1 FROM otel_logs WHERE hasAny(mapKeys(LogAttributes), {lesser:Array(String)}) LIMIT 1)),
    (SELECT count() FROM (SELECT 1 FROM otel_logs WHERE has(mapKeys(ResourceAttributes), 'session.id') LIMIT 1))

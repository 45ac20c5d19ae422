-- The bytes of traces and of logs.
SELECT sumIf(bytes_on_disk, table != 'otel_logs'), sumIf(bytes_on_disk, table = 'otel_logs') FROM system.parts
WHERE active AND database = currentDatabase() AND table IN {tables:Array(String)}

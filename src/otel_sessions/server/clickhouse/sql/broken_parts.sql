-- How many parts of each table ClickHouse put aside because it could not read them.
SELECT table, count() FROM system.detached_parts
WHERE database = currentDatabase() AND startsWith(reason, 'broken') AND table IN {tables:Array(String)}
GROUP BY table
ORDER BY table

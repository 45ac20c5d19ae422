SELECT table, name, path FROM system.detached_parts
WHERE database = currentDatabase() AND startsWith(reason, 'broken') AND table IN {tables:Array(String)}
ORDER BY table, name

-- The databases and tables that a question may not name.
SELECT name FROM system.databases WHERE name != currentDatabase()
UNION ALL
SELECT name FROM system.tables WHERE database = currentDatabase() AND name NOT IN {tables:Array(String)}

-- Those of some units of log records that exist, and how many commits added to each.
SELECT TraceId, count() FROM trace_facts WHERE IsCell AND TraceId IN {units:Array(UInt128)} GROUP BY TraceId ORDER BY TraceId

SELECT TraceId, Facts FROM trace_facts_rebuilt ORDER BY TraceId

SELECT TraceId, Facts FROM trace_facts_rebuilt WHERE IsCell = {cells:UInt8} ORDER BY TraceId

SELECT TraceId, Facts FROM trace_facts WHERE TraceId IN {trace_ids:Array(UInt128)}

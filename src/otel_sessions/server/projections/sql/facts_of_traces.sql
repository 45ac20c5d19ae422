SELECT TraceId, Facts FROM ${table} WHERE TraceId IN {trace_ids:Array(UInt128)}

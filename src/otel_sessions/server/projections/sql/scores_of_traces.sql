SELECT ${columns} FROM scores FINAL WHERE TraceId IN {trace_ids:Array(UInt128)}

SELECT TraceId, Key, Id FROM session_traces FINAL WHERE TraceId IN {trace_ids:Array(UInt128)} AND Deleted = 0

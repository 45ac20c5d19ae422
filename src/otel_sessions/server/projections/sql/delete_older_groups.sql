DELETE FROM session_traces WHERE Version < {version:UInt64} AND TraceId IN {units:Array(UInt128)}

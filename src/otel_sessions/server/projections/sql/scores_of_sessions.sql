SELECT ${columns} FROM scores FINAL WHERE TraceId = 0 AND Id IN {ids:Array(UInt128)}

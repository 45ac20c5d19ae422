(TraceId IN {traces:Array(String)} OR CountedIn IN {cells:Array(UInt128)} OR ${may_name})

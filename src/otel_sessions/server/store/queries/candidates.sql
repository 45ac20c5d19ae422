-- Sessions that may meet a condition: some version of one of their rows does.
SELECT DISTINCT IdHash FROM session_traces WHERE Key = {key:String} AND ${row} LIMIT {most:UInt64}

SELECT IdHash FROM session_traces WHERE Key = {key:String} AND Version >= {from:UInt64}

Key = {key:String} AND IdHash IN (SELECT IdHash FROM session_traces FINAL WHERE Key = {key:String} AND ${which})

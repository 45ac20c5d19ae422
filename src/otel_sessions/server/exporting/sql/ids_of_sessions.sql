SELECT DISTINCT Id FROM session_traces FINAL WHERE Key = {key:String} AND ${which}

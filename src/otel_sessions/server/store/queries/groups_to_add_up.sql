SELECT *, IdHash FROM session_traces FINAL PREWHERE Key = {key:String} AND ${which}

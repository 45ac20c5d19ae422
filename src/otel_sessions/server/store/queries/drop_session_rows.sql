DELETE FROM sessions
WHERE Key = {key:String}
    AND ${which}
    AND IdHash NOT IN (SELECT IdHash FROM session_traces FINAL WHERE Key = {key:String} AND ${among})

SELECT 1 FROM session_scores WHERE Key = {key:String} LIMIT 1

DELETE FROM session_names WHERE (Key, IdHash) NOT IN (SELECT Key, IdHash FROM session_traces FINAL)

SELECT 1 FROM session_names LIMIT 1

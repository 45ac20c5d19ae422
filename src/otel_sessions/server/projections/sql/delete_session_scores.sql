DELETE FROM session_scores WHERE ScoreId IN (SELECT Id FROM scores WHERE ${which})

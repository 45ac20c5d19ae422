SELECT ScoredHash FROM (${scores}) WHERE Score ${compared}

-- The score of each of some names that sessions are filtered and sorted by: the last one on a session itself, else the mean of those on its traces,
-- else of those on its spans. Means are added up as the decimals that the values are written as, in any order the same; only values that
-- are too large or too small for that as floats, from the least to the greatest.
SELECT
    IdHash AS ScoredHash,
    toString(Name) AS ScoreName,
    coalesce(
        argMaxOrNullIf(Number, (Time, ScoreId), Level = 0),
        ${mean_of_traces},
        ${mean_of_spans}
    ) AS Score
FROM (
    SELECT
        IdHash,
        Name,
        ScoreId,
        Time,
        Level,
        assumeNotNull(Value) AS Number,
        if(Number = 0 OR abs(Number) BETWEEN 1e-18 AND 1e20, toDecimal256OrNull(toString(Number), 38), NULL) AS Exact
    FROM session_scores FINAL
    WHERE Key = {key:String} AND ${which} AND Value IS NOT NULL
)
GROUP BY IdHash, Name

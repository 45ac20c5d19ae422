-- By cohort and name of a score: how many of its sessions have one, and the sum of these, each the score that lists sort by. `Inexact`
-- are too large or too small for the exact sum.
SELECT
    Cohort,
    ScoreName,
    count() AS Sessions,
    sum(if(Score = 0 OR abs(Score) BETWEEN 1e-18 AND 1e20, toDecimal256OrNull(toString(Score), 38), NULL)) AS Exact,
    countIf(NOT (Score = 0 OR abs(Score) BETWEEN 1e-18 AND 1e20)) AS Inexact,
    sum(Score) AS Rounded
FROM (
    SELECT ScoreName, Score, Cohorts
    FROM (
        SELECT IdHash, CAST(${cohorts}, 'Array(Nullable(String))') AS Cohorts
        FROM sessions FINAL
        WHERE Key = {key:String} AND ${where}
    ) AS members
    INNER JOIN (
        ${scores}
    ) AS scored ON members.IdHash = scored.ScoredHash
)
ARRAY JOIN if(empty(Cohorts), [NULL], Cohorts) AS Cohort
GROUP BY Cohort, ScoreName
ORDER BY ScoreName
SETTINGS precise_float_parsing = 1

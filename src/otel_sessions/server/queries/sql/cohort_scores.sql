-- By cohort and name of a score: how many of its sessions have one, and the sum of these, each the score that lists sort by. `Large` are too
-- many digits for the exact sum.
SELECT
    Cohort,
    ScoreName,
    count() AS Sessions,
    sum(if(abs(Score) < 1e20, toDecimal256OrNull(toString(Score), 38), NULL)) AS Exact,
    countIf(abs(Score) >= 1e20) AS Large,
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

SELECT
    Cohort,
    count() AS Sessions,
    sum(AnyFailed) AS FailedSessions,
    quantileExact(0.5)(Cost) AS CostP50,
    quantileExact(0.95)(Cost) AS CostP95,
    quantileExact(0.5)(Tokens) AS TokensP50,
    quantileExact(0.95)(Tokens) AS TokensP95,
    quantileExact(0.5)(Duration) AS DurationP50,
    quantileExact(0.95)(Duration) AS DurationP95
FROM (
    SELECT
        FailedTraces > 0 AS AnyFailed,
        ${cost} AS Cost,
        ${tokens} AS Tokens,
        ${duration} AS Duration,
        CAST(${cohorts}, 'Array(Nullable(String))') AS Cohorts
    FROM sessions FINAL
    WHERE Key = {key:String} AND ${where}
)
ARRAY JOIN if(empty(Cohorts), [NULL], Cohorts) AS Cohort
GROUP BY Cohort
ORDER BY Sessions DESC, Cohort NULLS LAST
LIMIT {limit:UInt64}

SELECT
    Cohort,
    count() AS Sessions,
    sum(AnyFailed) AS FailedSessions,
    ${quantiles}
FROM (
    SELECT
        FailedTraces > 0 AS AnyFailed,
        ${measures},
        CAST(${cohorts}, 'Array(Nullable(String))') AS Cohorts
    FROM sessions FINAL
    WHERE Key = {key:String} AND ${where}
)
ARRAY JOIN if(empty(Cohorts), [NULL], Cohorts) AS Cohort
GROUP BY Cohort
ORDER BY Sessions DESC, Cohort NULLS LAST
LIMIT {limit:UInt64}
SETTINGS precise_float_parsing = 1

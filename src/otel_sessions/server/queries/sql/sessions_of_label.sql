-- The sessions whose score of one name has a label: the last one on the session itself, else any on its traces, else any on its spans.
SELECT IdHash
FROM (
    SELECT
        IdHash,
        argMaxOrNullIf(assumeNotNull(Label), (Time, ScoreId), Level = 0) AS Own,
        groupUniqArrayIf(assumeNotNull(Label), Level = 1) AS OfTraces,
        groupUniqArrayIf(assumeNotNull(Label), Level = 2) AS OfSpans
    FROM session_scores FINAL
    WHERE Key = {key:String} AND Name = {${name}:String} AND Label IS NOT NULL
    GROUP BY IdHash
)
WHERE multiIf(
    isNotNull(Own), Own = {${label}:String}, notEmpty(OfTraces), has(OfTraces, {${label}:String}), has(OfSpans, {${label}:String})
)

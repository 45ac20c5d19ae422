-- The models of the calls in sessions of a key, those with calls without a price first. In `Content` the ninth value are the models, and of
-- each the first four are its provider, its name, its calls and those without a price; the seventh is where the costs come from.
SELECT
    JSONExtract(Used, 1, 'Nullable(String)') AS Provider,
    JSONExtract(Used, 2, 'Nullable(String)') AS Model,
    sum(JSONExtractUInt(Used, 3)) AS Calls,
    sum(JSONExtractUInt(Used, 4)) AS Unpriced,
    max(End) AS LastSeen,
    arraySort(groupUniqArrayArray(32)(JSONExtract(Used, 7, 'Array(String)'))) AS Sources
FROM (
    SELECT End, JSONExtractArrayRaw(Content, 9) AS Models
    FROM session_traces FINAL
    WHERE Key = {key:String}
        AND Deleted = 0
        AND End >= {since:UInt64}
)
ARRAY JOIN Models AS Used
GROUP BY Provider, Model
HAVING Calls > 0
ORDER BY Unpriced DESC, Calls DESC, Model, Provider
LIMIT {limit:UInt32}

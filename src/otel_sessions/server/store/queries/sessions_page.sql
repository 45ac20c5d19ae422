-- One pass over narrow columns: the ids of a page, and their number in all as rows before the limit.
SELECT Id, toString(Measure) AS Shown, ${after} AS After
FROM (
    SELECT Id, ${measure} AS Measure
    FROM session_traces FINAL
    WHERE Key = {key:String}
    GROUP BY Id
    HAVING ${having}
)
ORDER BY After DESC, Measure ${direction} NULLS LAST, Id
LIMIT {limit:UInt64} OFFSET {offset:UInt64}
SETTINGS exact_rows_before_limit = 1

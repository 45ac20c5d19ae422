-- One pass over narrow columns: the sessions around a page, and the number of all as rows before the limit.
SELECT toString(IdHash) AS Hash, toString(Measure) AS Shown, ${after} AS After
FROM (
    SELECT ${columns}, ${measure} AS Measure
    FROM sessions FINAL
    WHERE Key = {key:String} AND ${where}
)
ORDER BY After DESC, Measure ${direction} NULLS LAST${ties}
LIMIT {limit:UInt64} OFFSET {offset:UInt64}
SETTINGS exact_rows_before_limit = 1

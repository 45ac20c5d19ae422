-- One pass over narrow columns: the sessions of a page, and the number of all as rows before the limit.
SELECT toString(IdHash) AS Hash, SessionId, toString(Measure) AS Shown, toUInt8(ifNull(${after}, 0)) AS After
FROM (
    SELECT IdHash, Id AS SessionId, ${measure} AS Measure
    FROM sessions FINAL ${joined}
    WHERE Key = {key:String} AND ${where}
)
ORDER BY After DESC, Measure ${direction} NULLS LAST, SessionId
LIMIT {limit:UInt64} OFFSET {offset:UInt64}
SETTINGS exact_rows_before_limit = 1, precise_float_parsing = 1

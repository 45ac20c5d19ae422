-- What sessions were given: equal scores as one row with the last of them, the number of annotations, and a name. One statement, since
-- most sessions were given nothing.
SELECT
    0 AS What,
    IdHash,
    Level,
    toString(Name) AS ScoreName,
    Value,
    Label,
    count() AS Number,
    max((Time, ScoreId)).1 AS LastTime,
    max((Time, ScoreId)).2 AS LastId
FROM session_scores FINAL
WHERE Key = {key:String} AND IdHash IN {hashes:Array(UInt128)}
GROUP BY IdHash, Level, ScoreName, Value, Label
UNION ALL
SELECT 1, IdHash, 0, '', NULL, NULL, count(), 0, 0
FROM annotations FINAL
WHERE Key = {key:String} AND IdHash IN {hashes:Array(UInt128)}
GROUP BY IdHash
UNION ALL
SELECT 2, IdHash, 0, '', NULL, Name, 1, 0, 0
FROM session_names FINAL
WHERE Key = {key:String} AND IdHash IN {hashes:Array(UInt128)}

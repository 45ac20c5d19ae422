-- Of the sessions in a share of all, which is found by their hashes; those that have rows keep what these say of their birth.
SELECT groups.*, ifNull(rows.Born, {version:UInt64}) AS Born
FROM (
    SELECT *, IdHash
    FROM session_traces FINAL
    PREWHERE Key = {key:String} AND IdHash BETWEEN {first:UInt128} AND {last:UInt128} AND IdHash IN (${sessions})
) AS groups
LEFT JOIN (
    SELECT toUInt64(IdHash) AS Short, toNullable(min(Born)) AS Born
    FROM sessions
    GROUP BY Short
) AS rows ON toUInt64(groups.IdHash) = rows.Short

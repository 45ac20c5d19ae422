-- Of a span that was sent in several states, the latest that holds messages.
SELECT
    CAST(Key, 'String'),
    Owner,
    Unit,
    Record,
    Parent,
    toUnixTimestamp64Nano(Timestamp) AS Time,
    IsNew,
    Compacted,
    IsCounted,
    Input,
    InputLikenesses,
    InputRoles,
    Output,
    OutputLikenesses,
    OutputRoles
FROM message_chains
WHERE (Key, Owner) IN (SELECT arrayJoin(arrayZip({keys:Array(String)}, {owners:Array(UInt128)})))
    AND Unit IN {units:Array(UInt128)}
ORDER BY State DESC
LIMIT 1 BY Unit, Record

-- The rows of the named sessions, from their trace groups as they are now. The last name and the last metadata values are the
-- greatest texts that begin with a time; `sortable` writes the highest byte of a time first, so that these sort as times do. A name that
-- a session was given by hand is `Given`: `names_of_sessions` found it, since with a join all of this takes a quarter longer.
INSERT INTO sessions (Key, Id, IdHash, Version, FirstVersion, ${columns})
WITH
    transform(reinterpretAsUInt128(sipHash128(Key, IdHash)), {named:Array(UInt128)}, {names:Array(String)}, NULL) AS Given,
    (moment) -> reverse(reinterpretAsFixedString(toUInt64(moment))) AS sortable,
    (names, most, other) -> if(
        length(arrayFilter(name -> name != other, names)) > most,
        arraySort(arrayPushBack(arraySlice(arraySort(arrayFilter(name -> name != other, names)), 1, most), other)),
        arraySort(names)
    ) AS bounded,
    maxMap(
        MetadataKeys,
        arrayMap((after, value) -> concat(sortable(Start + after), value), MetadataAfter, MetadataValues)
    ) AS Metadata
SELECT
    Key,
    any(Id),
    IdHash,
    {version:UInt64},
    any(transform(IdHash, {hashes:Array(UInt128)}, {first_versions:Array(UInt64)}, toUInt64(0))),
    ${values}
FROM (
    SELECT *, IdHash
    FROM session_traces FINAL
    PREWHERE (Key, IdHash) IN (SELECT arrayJoin(arrayZip({keys:Array(String)}, {hashes:Array(UInt128)})))
) AS groups
WHERE Deleted = 0
GROUP BY Key, IdHash

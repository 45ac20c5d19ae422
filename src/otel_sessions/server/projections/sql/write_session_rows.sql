-- The last name and the last metadata values are found as the greatest texts that begin with a time: its bytes sort as the
-- time does, the highest first.
INSERT INTO sessions (
    Key, Id, IdHash, Version, Born, LastActive, Created, Cost, Tokens, Traces, FailedTraces, Name,
    UserIds, Services, Environments, Tags, Models, MetadataKeys, MetadataValues
)
WITH
    (moment) -> reverse(reinterpretAsFixedString(toUInt64(moment))) AS sortable,
    maxMap(
        MetadataKeys,
        arrayMap((after, value) -> concat(sortable(Start + after), value), MetadataAfter, MetadataValues)
    ) AS Metadata
SELECT
    Key,
    any(Id),
    IdHash,
    {version:UInt64},
    any(Born),
    max(End),
    min(Start),
    sum(TotalCost),
    sum(TotalTokens),
    count(),
    sum(Failed),
    substring(max(concat(sortable(Start + NameAfter), groups.Name)), 9),
    arraySort(groupUniqArrayArray(UserIds)),
    arraySort(groupUniqArrayArray(Services)),
    arraySort(groupUniqArrayArray(Environments)),
    arraySort(groupUniqArrayArray(Tags)),
    arraySort(groupUniqArrayArray(Models)),
    Metadata.1,
    arrayMap(value -> substring(value, 9), Metadata.2)
FROM (${groups}) AS groups
WHERE Deleted = 0
GROUP BY Key, IdHash

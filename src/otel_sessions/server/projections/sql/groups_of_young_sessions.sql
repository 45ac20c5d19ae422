-- Of sessions that began with a version: no version of a group of theirs is older, so that what is older is not read.
SELECT *, IdHash, transform(IdHash, {hashes:Array(UInt128)}, {births:Array(UInt64)}, toUInt64(0)) AS Born
FROM session_traces
WHERE Version >= {born:UInt64}
    AND (Key, IdHash) IN (${named})
ORDER BY Key, IdHash, TraceId, Version DESC
LIMIT 1 BY Key, IdHash, TraceId

-- Of sessions that began with a version: no version of a group of theirs is older, so that what is older is not read.
SELECT *, IdHash
FROM session_traces
WHERE Key = {key:String} AND Version >= {born:UInt64} AND IdHash IN {hashes:Array(UInt128)}
ORDER BY IdHash, TraceId, Version DESC
LIMIT 1 BY IdHash, TraceId

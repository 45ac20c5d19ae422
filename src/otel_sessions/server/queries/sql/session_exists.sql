SELECT 1
FROM session_traces FINAL
WHERE Key = {key:String} AND IdHash = {hash:UInt128}
LIMIT 1

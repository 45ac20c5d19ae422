SELECT *, IdHash, transform(IdHash, {hashes:Array(UInt128)}, {births:Array(UInt64)}, toUInt64(0)) AS Born
FROM session_traces FINAL
PREWHERE (Key, IdHash) IN (${named})

-- The names that the given sessions have by hand, by a hash of key and id.
SELECT reinterpretAsUInt128(sipHash128(Key, IdHash)), Name
FROM session_names FINAL
WHERE Name IS NOT NULL AND (Key, IdHash) IN (SELECT arrayJoin(arrayZip({keys:Array(String)}, {hashes:Array(UInt128)})))

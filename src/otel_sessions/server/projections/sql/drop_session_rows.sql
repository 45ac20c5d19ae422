-- The rows of those of the named sessions that have no trace group left.
DELETE FROM sessions
WHERE (Key, IdHash) IN (SELECT arrayJoin(arrayZip({keys:Array(String)}, {hashes:Array(UInt128)})))
    AND (Key, IdHash) NOT IN (
        SELECT Key, IdHash
        FROM session_traces FINAL
        PREWHERE (Key, IdHash) IN (SELECT arrayJoin(arrayZip({keys:Array(String)}, {hashes:Array(UInt128)})))
    )

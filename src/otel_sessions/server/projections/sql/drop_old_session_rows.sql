-- Where no trace group is left of sessions that began before a moment.
DELETE FROM sessions
WHERE Created < {before:UInt64} AND (Key, IdHash) NOT IN (
    SELECT Key, IdHash
    FROM session_traces FINAL
    PREWHERE (Key, IdHash) IN (SELECT Key, IdHash FROM sessions WHERE Created < {before:UInt64})
)

-- Where no trace group is left of these.
DELETE FROM sessions
WHERE (Key, IdHash) IN (${named})
    AND (Key, IdHash) NOT IN (
        SELECT Key, IdHash
        FROM session_traces FINAL
        PREWHERE (Key, IdHash) IN (${named})
    )

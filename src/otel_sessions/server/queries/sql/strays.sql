(Key, Owner) IN (
    SELECT DISTINCT Key, Owner
    FROM message_chains
    WHERE Key NOT IN ('', {key:String})
        OR (Key = {key:String} AND Owner NOT IN (SELECT IdHash FROM sessions WHERE Key = {key:String}))
)

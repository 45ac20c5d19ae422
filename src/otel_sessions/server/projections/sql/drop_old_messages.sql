-- A message is stored for each day on which it was told, so it stays while its owner has records of that day.
ALTER TABLE messages DELETE
WHERE Timestamp <= fromUnixTimestamp64Nano({last:Int64})
    AND (Key, Owner, toDate(Timestamp, 'UTC')) NOT IN (
        SELECT Key, Owner, toDate(Timestamp, 'UTC')
        FROM message_chains
        WHERE toDate(Timestamp, 'UTC') <= toDate(fromUnixTimestamp64Nano({last:Int64}), 'UTC')
    )

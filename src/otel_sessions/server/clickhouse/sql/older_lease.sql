-- The lease of another server that has not run out and is older than this one's.
SELECT Host, Pid
FROM server_lease FINAL
WHERE Holder != {holder:UUID}
    AND State IN ('bid', 'held')
    AND Renewed > now64(6, 'UTC') - toIntervalSecond({seconds:UInt32})
    AND (Since, Holder) < (SELECT Since, Holder FROM server_lease FINAL WHERE Holder = {holder:UUID})
LIMIT 1

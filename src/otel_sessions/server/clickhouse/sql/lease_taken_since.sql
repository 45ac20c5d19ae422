-- Another server that held the lease after this one renewed it last.
SELECT Host, Pid
FROM server_lease FINAL
WHERE Holder != {holder:UUID}
    AND State IN ('held', 'released')
    AND Renewed > (SELECT Renewed FROM server_lease FINAL WHERE Holder = {holder:UUID})
LIMIT 1

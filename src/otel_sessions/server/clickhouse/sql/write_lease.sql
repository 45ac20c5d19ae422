-- A bid takes the lease now; every other state keeps the time of the bid.
INSERT INTO server_lease (Holder, Since, Renewed, State, Host, Pid)
SELECT
    {holder:UUID},
    if(
        {state:String} = 'bid',
        now64(6, 'UTC'),
        (SELECT Since FROM server_lease FINAL WHERE Holder = {holder:UUID})
    ),
    now64(6, 'UTC'),
    {state:String},
    {host:String},
    {pid:UInt32}

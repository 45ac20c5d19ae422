SELECT toString(Key) AS SessionKey, count() FROM session_traces WHERE Version >= {from:UInt64} GROUP BY Key

SELECT toString(Key) AS SessionKey, sum(Traces) FROM sessions WHERE Created < {before:UInt64} GROUP BY Key

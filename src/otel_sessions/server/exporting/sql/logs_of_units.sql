-- In a trace of a session, counted in a session, or naming one.
TraceId IN (SELECT lower(leftPad(hex(Unit), 32, '0')) FROM (${units}) WHERE NOT UnitIsCell)
OR CountedIn IN (SELECT Unit FROM (${units}))
OR LogAttributes[{attribute:String}] IN (${ids})
OR ResourceAttributes[{attribute:String}] IN (${ids})

TraceId IN (SELECT lower(leftPad(hex(Unit), 32, '0')) FROM (${units}) WHERE NOT UnitIsCell)

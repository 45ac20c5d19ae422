-- In a trace of a session, counted in a session, or naming one.
TraceId IN (SELECT lower(leftPad(hex(Unit), 32, '0')) FROM (${units}) WHERE NOT UnitIsCell)
OR CountedIn IN (SELECT Unit FROM (${units}))
OR CountedIn IN {cells:Array(UInt128)}
OR (
    (hasAny(mapKeys(LogAttributes), {names:Array(String)}) OR ({has_resource:UInt8} AND mapContains(ResourceAttributes, 'session.id')))
    AND ${named} IN (${ids})
)

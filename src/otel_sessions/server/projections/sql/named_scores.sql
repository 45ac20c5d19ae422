Id IN {ids:Array(UInt128)}

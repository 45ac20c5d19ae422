has(mapValues(LogAttributes), {session:String})

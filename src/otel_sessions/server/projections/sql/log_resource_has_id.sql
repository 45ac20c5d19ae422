has(mapValues(ResourceAttributes), {session:String})

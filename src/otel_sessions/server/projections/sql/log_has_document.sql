hasAny(mapKeys(LogAttributes), {documents:Array(String)})

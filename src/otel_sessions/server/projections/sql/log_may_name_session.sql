-- What a log record that names the session has, for the indexes.
(
    has(mapValues(LogAttributes), {session:String})
    OR hasAny(mapKeys(LogAttributes), {documents:Array(String)})
    OR ({has_resource:UInt8} AND has(mapValues(ResourceAttributes), {session:String}))
)

SELECT Key, IdHash FROM session_names FINAL WHERE IdHash IN {hashes:Array(UInt128)}

SELECT IdHash FROM sessions WHERE Key = {key:String} AND Created < {before:UInt64}

DELETE FROM session_names WHERE Key = {key:String} AND IdHash = {hash:UInt128}

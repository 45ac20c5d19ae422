DELETE FROM annotations WHERE Key = {key:String} AND IdHash = {hash:UInt128}

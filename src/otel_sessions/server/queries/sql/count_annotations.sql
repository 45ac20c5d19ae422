SELECT count() FROM annotations FINAL WHERE Key = {key:String} AND IdHash = {hash:UInt128}

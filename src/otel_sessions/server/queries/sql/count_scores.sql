SELECT count() FROM session_scores FINAL WHERE Key = {key:String} AND IdHash = {hash:UInt128}

IdHash IN (SELECT IdHash FROM sessions FINAL WHERE Key = {key:String} AND ${where})

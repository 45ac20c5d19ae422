DELETE FROM annotations WHERE Time < {before:UInt64}

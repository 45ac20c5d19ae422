(Key NOT IN ('', {key:String}) OR (Key = {key:String} AND Owner NOT IN (SELECT IdHash FROM sessions WHERE Key = {key:String})))

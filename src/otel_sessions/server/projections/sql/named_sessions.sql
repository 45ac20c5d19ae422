SELECT arrayJoin(arrayZip({keys:Array(String)}, {hashes:Array(UInt128)}))

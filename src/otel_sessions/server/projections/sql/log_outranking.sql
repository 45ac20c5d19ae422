-- How many of the listed ranks outrank the name by which a log record names its session.
toUInt32(arrayCount(one -> one < ${rank}, {ranks:Array(UInt32)}))

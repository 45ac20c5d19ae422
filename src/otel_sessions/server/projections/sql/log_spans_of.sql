SELECT arrayJoin(arrayZip({${whose}_traces:Array(String)}, {${whose}_spans:Array(String)}, {${whose}_ranks:Array(UInt32)}))

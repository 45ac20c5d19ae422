SELECT DISTINCT Digest
FROM messages
WHERE (Key, Owner) IN (SELECT arrayJoin(arrayZip({keys:Array(String)}, {owners:Array(UInt128)})))
    AND Text LIKE {said:String}

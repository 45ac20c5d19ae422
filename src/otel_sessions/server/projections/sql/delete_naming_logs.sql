-- Log records that name a session and are not counted, so that nothing else leads to them.
DELETE FROM otel_logs
WHERE has(mapValues(LogAttributes), {session:String})
    AND LogAttributes[{attribute:String}] = {session:String}
    AND CountedAs = 0

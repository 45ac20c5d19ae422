-- Log records that name no session themselves and are in no trace of one, by service.
SELECT
    toString(ServiceName) AS Service,
    count() AS Records,
    min(toUnixTimestamp64Nano(Timestamp)) AS FirstSeen,
    max(toUnixTimestamp64Nano(Timestamp)) AS LastSeen,
    arraySort(groupUniqArrayIf({scopes:UInt64})(substringUTF8(ScopeName, 1, {longest:UInt64}), ScopeName != '')) AS Scopes
FROM otel_logs
WHERE NOT arrayExists(
        name -> has({names:Array(String)}, name) OR startsWith(name, {prefix:String}),
        arrayConcat(mapKeys(LogAttributes), mapKeys(ResourceAttributes))
    )
    AND (
        length(TraceId) != 32
        OR reinterpretAsUInt128(reverse(unhex(TraceId))) NOT IN (
            SELECT TraceId
            FROM session_traces FINAL
            WHERE Key != ''
                AND TraceId IN (SELECT reinterpretAsUInt128(reverse(unhex(TraceId))) FROM otel_logs WHERE length(TraceId) = 32)
        )
    )
GROUP BY Service
ORDER BY Records DESC, Service
LIMIT {services:UInt64}

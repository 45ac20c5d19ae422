-- Spans without a session, by service. Their groups have no session key, and the scopes as tags.
SELECT
    Id AS Service,
    sum(SpanCount) AS Spans,
    count() AS Traces,
    toInt64(min(Start)) AS FirstSeen,
    toInt64(max(End)) AS LastSeen,
    arraySort(groupUniqArrayArray({scopes:UInt64})(Tags)) AS Scopes
FROM session_traces FINAL
WHERE Key = ''
GROUP BY Id
ORDER BY Spans DESC, Service
LIMIT {services:UInt64}

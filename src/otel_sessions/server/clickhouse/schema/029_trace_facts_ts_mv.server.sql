-- As 011, without five minutes of a session, which are no trace.
ALTER TABLE trace_facts_ts_mv MODIFY QUERY
SELECT
    lower(leftPad(hex(TraceId), 32, '0')) AS TraceId,
    toDateTime(least(intDiv(Start, 1000000000), 4294967295)) AS Start,
    toDateTime(least(intDiv(End, 1000000000), 4294967295)) AS End
FROM trace_facts
WHERE NOT IsCell

-- What the log records of a trace say of it, also those that are not counted.
SELECT
    count() AS Records,
    toInt64(min(toUnixTimestamp64Nano(Timestamp))) AS Start,
    toInt64(max(toUnixTimestamp64Nano(Timestamp))) AS End,
    arraySort(groupUniqArrayIf(1000)(toString(ServiceName), ServiceName != '')) AS Services
FROM otel_logs
WHERE TraceId = {trace_id:String}

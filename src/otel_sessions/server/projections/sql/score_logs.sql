SELECT
    toUInt64(toUnixTimestamp64Nano(Timestamp)) AS Time,
    TraceId,
    SpanId,
    EventName,
    LogAttributes,
    LogAttributeTypes,
    ResourceAttributes,
    ResourceAttributeTypes
FROM otel_logs
WHERE EventName = {event:String} OR LogAttributes[{attribute:String}] = {event:String}

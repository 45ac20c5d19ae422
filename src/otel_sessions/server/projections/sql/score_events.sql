SELECT
    TraceId,
    SpanId,
    `Events.Name` AS Names,
    arrayMap(time -> toUInt64(toUnixTimestamp64Nano(time)), `Events.Timestamp`) AS Times,
    `Events.Attributes` AS Attributes,
    EventAttributeTypes
FROM otel_traces
WHERE has(`Events.Name`, {event:String})
    OR (has(`Events.Name`, '') AND arrayExists(one -> one[{attribute:String}] = {event:String}, `Events.Attributes`))

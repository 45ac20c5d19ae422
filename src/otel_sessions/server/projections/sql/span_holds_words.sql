TraceId IN (SELECT TraceId FROM deletion_queue WHERE Version = {queue:UInt64})
    AND (TraceId, SpanId) IN (SELECT TraceId, SpanId FROM deletion_queue WHERE Version = {queue:UInt64})
    AND (
        ${of_span}
        OR arrayExists(
            (event, attributes) -> if(has({events:Array(String)}, event), notEmpty(attributes), ${of_event}),
            `Events.Name`,
            `Events.Attributes`
        )
    )

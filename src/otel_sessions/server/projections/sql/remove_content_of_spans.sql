-- Names stay: what a span is called for is counted by them.
ALTER TABLE otel_traces UPDATE
    SpanAttributes = ${attributes},
    SpanAttributeTypes = ${types},
    `Events.Attributes` = arrayMap(
        (event, attributes) -> if(has({content_events:Array(String)}, event), mapFilter((name, text) -> 0, attributes), ${attributes_of_event}),
        `Events.Name`,
        `Events.Attributes`
    ),
    EventAttributeTypes = arrayMap(
        (event, types) -> if(has({content_events:Array(String)}, event), mapFilter((name, letter) -> 0, types), ${types_of_event}),
        arraySlice(`Events.Name`, 1, length(EventAttributeTypes)),
        EventAttributeTypes
    )
WHERE ${which}

ALTER TABLE otel_logs UPDATE
    LogAttributes = mapApply((name, text) -> (name, if(${is_word}, '', text)), LogAttributes),
    LogAttributeTypes = mapFilter((name, letter) -> NOT ${is_word}, LogAttributeTypes),
    Body = if(hasAny({events:Array(String)}, [EventName, LogAttributes['event.name']]), '', Body),
    BodyType = if(hasAny({events:Array(String)}, [EventName, LogAttributes['event.name']]), 'n', BodyType),
    ContentRemoved = 1
WHERE ${which}

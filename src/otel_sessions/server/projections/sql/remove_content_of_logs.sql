ALTER TABLE otel_logs UPDATE
    LogAttributes = ${attributes},
    LogAttributeTypes = ${types},
    Body = if(${is_message}, '', Body),
    BodyType = if(${is_message}, 'n', BodyType),
    ContentRemoved = 1
WHERE ${which}

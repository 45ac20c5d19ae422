(${which})
    AND (
        ${of_span}
        OR arrayExists(
            (event, attributes) -> if(has({content_events:Array(String)}, event), notEmpty(attributes), ${of_event}),
            `Events.Name`,
            `Events.Attributes`
        )
    )

(
    has({names:Array(String)}, name)
    OR arrayExists(start -> startsWith(name, start), {prefixes:Array(String)})
    OR arrayExists(
        (event, word) -> word = name AND has(${log_names}, event),
        {word_events:Array(String)},
        {words:Array(String)}
    )
)

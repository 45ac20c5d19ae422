arrayExists(
    (name, text) -> text != '' AND (has({names:Array(String)}, name) OR arrayExists(start -> startsWith(name, start), {prefixes:Array(String)})),
    mapKeys(${attributes}),
    mapValues(${attributes})
)

mapFilter(
    (name, letter) -> NOT (has({names:Array(String)}, name) OR arrayExists(start -> startsWith(name, start), {prefixes:Array(String)})),
    ${types}
)

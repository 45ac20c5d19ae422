mapApply(
    (name, text) -> (
        name,
        if(has({names:Array(String)}, name) OR arrayExists(start -> startsWith(name, start), {prefixes:Array(String)}), '', text)
    ),
    ${attributes}
)

arrayExists(
    (name, text) -> text != '' AND (${is_content} OR (has({content_settings:Array(String)}, name) AND ${settings} != text)),
    mapKeys(${attributes}),
    mapValues(${attributes})
)

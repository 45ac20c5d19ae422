mapApply(
    (name, text) -> (name, multiIf(${is_content}, '', has({content_settings:Array(String)}, name), ${settings}, text)),
    ${attributes}
)

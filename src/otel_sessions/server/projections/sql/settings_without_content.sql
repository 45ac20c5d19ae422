multiIf(
    NOT multiSearchAny(text, {content_members_quoted:Array(String)}), text,
    JSONType(text) != 'Object', if(isValidJSON(text), text, ''),
    NOT hasAny(JSONExtractKeys(text), {content_members:Array(String)}), text,
    concat(
        '{',
        arrayStringConcat(
            arrayMap(
                pair -> concat(toJSONString(pair.1), ':', pair.2),
                arrayFilter(pair -> NOT has({content_members:Array(String)}, pair.1), JSONExtractKeysAndValuesRaw(text))
            ),
            ','
        ),
        '}'
    )
)

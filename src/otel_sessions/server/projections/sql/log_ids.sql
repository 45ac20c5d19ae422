-- The valid session ids of a log record, one for each name of a session in the order of their ranks; empty where it has none.
if(
    hasAny(mapKeys(LogAttributes), {names:Array(String)}),
    arrayMap(
        text -> if(match(text, '^[ -~]{1,200}$') AND notEmpty(trimBoth(text)), text, ''),
        arrayMap(
            (name, inner) -> multiIf(
                NOT mapContains(LogAttributes, name), '',
                inner != '', JSONExtractString(LogAttributes[name], inner),
                LogAttributeTypes[name] = '' OR (LogAttributeTypes[name] = 'i' AND NOT has({texts_only:Array(String)}, name)), LogAttributes[name],
                ''
            ),
            {names:Array(String)},
            {inners:Array(String)}
        )
    ),
    emptyArrayString()
)

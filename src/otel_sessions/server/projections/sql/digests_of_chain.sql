arrayMap(
    place -> reinterpretAsUInt64(substring(concat(Input, Output), place * 8 + 1, 8)),
    range(intDiv(length(Input) + length(Output), 8))
)

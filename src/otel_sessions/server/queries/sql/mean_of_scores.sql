multiIf(
    countIf(Level = ${level}) = 0,
    NULL,
    countIf(Level = ${level} AND isNull(Exact)) = 0,
    toFloat64(toString(sumIf(assumeNotNull(Exact), Level = ${level}) / countIf(Level = ${level}))),
    arraySum(arraySort(groupArrayIf(Number, Level = ${level}))) / countIf(Level = ${level})
)

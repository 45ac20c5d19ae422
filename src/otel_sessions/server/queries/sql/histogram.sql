-- Sessions by the bucket of their last activity; those before or after all buckets are in the first or last one.
SELECT
    toUInt64(least(intDiv(greatest(toInt128(LastActive) - {first:Int128}, 0), {width:Int128}), {greatest:Int128})) AS Bucket,
    count() AS Sessions,
    countIf(FailedTraces > 0) AS Failed,
    sum(Cost) AS TotalCost,
    max(CostInexact) AS IsInexact,
    sum(Tokens) AS TotalTokens
FROM sessions FINAL
WHERE Key = {key:String} AND ${where}
GROUP BY Bucket

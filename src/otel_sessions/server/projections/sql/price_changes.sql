SELECT Model, Provider, Input, Output, CacheRead, CacheWrite, ValidFrom, ValidUntil, Time, Removed, Version
FROM prices
ORDER BY Version, Model, ifNull(Provider, ''), ifNull(ValidFrom, ''), ifNull(ValidUntil, '')

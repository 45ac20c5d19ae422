-- The rank of the name by which a log record names its session, as in SpanFacts.rank; 65535 if it names none. After `log_session`.
multiIf(
    LogPlace > 1, LogPlace,
    LogPlace = 1, toUInt32(countEqual(LogIds, LogIds[1]) > 1),
    LogResourceId != '', {rank_of_resource:UInt32},
    65535
)

-- The session that a log record names itself: its own name, else the one on its resource. `LogIds` has all that it names, by rank.
(if(
    (arrayFirstIndex(text -> text != '', (${ids}) AS LogIds) AS LogPlace) > 0,
    LogIds[LogPlace],
    (${of_resource}) AS LogResourceId
) AS LogSession)

-- Whether a log record that may be of the session is, where all of its units are in no other session of the key.
multiIf(
    CountedAs != 0 AND CountedIn IN {whole_units:Array(UInt128)}, 1,
    hasAny(JSONExtract(LogAttributes['session.cut'], 'Array(String)'), [{key:String}, '*']) OR LogAttributes['session.cut'] IN ({key:String}, '*'), 0,
    TraceId IN {whole:Array(String)}, ${named} IN ('', {session:String}),
    LogSession = {session:String}
)

-- Whether a log record that may be of the session is. `whole` are its units that are in no other session of the key. `judged` are those whose spans are listed:
-- `member` has the spans of the session, `other` those of other sessions, each with every number of listed ranks that its own is among.
-- An empty span stands for the spans that are not stored.
multiIf(
    CountedAs != 0 AND CountedIn IN {whole_units:Array(UInt128)}, 1,
    CountedAs != 0 AND CountedIn IN {judged_units:Array(UInt128)},
        (lower(leftPad(hex(CountedIn), 32, '0')), lower(leftPad(hex(CountedAs), 16, '0')), length({ranks:Array(UInt32)})) IN (${member}),
    hasAny(JSONExtract(LogAttributes['session.cut'], 'Array(String)'), [{key:String}, '*']) OR LogAttributes['session.cut'] IN ({key:String}, '*'), 0,
    TraceId IN {whole:Array(String)}, ${named} IN ('', {session:String}),
    TraceId NOT IN {judged:Array(String)}, LogSession = {session:String},
    LogSession = {session:String}, (TraceId, ${span}, ${outranking}) NOT IN (${other}),
    (TraceId, ${span}, ${outranking}) IN (${member})
)

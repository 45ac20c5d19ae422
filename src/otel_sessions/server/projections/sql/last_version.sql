SELECT greatest(
    (SELECT max(Version) FROM trace_facts),
    (SELECT max(Version) FROM session_traces),
    (SELECT max(Version) FROM scores),
    (SELECT max(Version) FROM annotations),
    (SELECT max(Version) FROM session_names),
    (SELECT max(Version) FROM prices)
)

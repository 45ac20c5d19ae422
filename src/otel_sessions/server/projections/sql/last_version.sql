SELECT greatest((SELECT max(Version) FROM trace_facts), (SELECT max(Version) FROM session_traces))

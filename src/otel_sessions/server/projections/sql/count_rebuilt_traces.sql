SELECT uniqExact(TraceId) FROM trace_facts_rebuilt

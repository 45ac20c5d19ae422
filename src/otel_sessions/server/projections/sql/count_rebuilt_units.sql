SELECT uniqExact(TraceId), uniqExactIf(TraceId, NOT IsCell) FROM trace_facts_rebuilt

CREATE TABLE trace_facts_rebuilt AS trace_facts

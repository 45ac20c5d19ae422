SELECT max(End) FROM trace_facts

DROP TABLE IF EXISTS trace_facts_rebuilt SYNC

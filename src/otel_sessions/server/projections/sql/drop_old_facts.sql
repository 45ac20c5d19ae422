ALTER TABLE trace_facts DELETE
WHERE TraceId IN (SELECT reinterpretAsUInt128(reverse(unhex(TraceId))) FROM doomed_spans)

ALTER TABLE trace_facts DELETE
WHERE TraceId IN (SELECT reinterpretAsUInt128(reverse(unhex(TraceId))) FROM deletion_queue WHERE Version = {version:UInt64})

ALTER TABLE session_traces DELETE
WHERE TraceId IN (SELECT reinterpretAsUInt128(reverse(unhex(TraceId))) FROM deletion_queue WHERE Version = {version:UInt64})

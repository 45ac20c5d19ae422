INSERT INTO deletion_queue
SELECT {version:UInt64}, lower(leftPad(hex(TraceId), 32, '0')), '*'
FROM trace_facts
GROUP BY TraceId
HAVING max(End) < {before:UInt64}

if((TraceId, SpanId) IN (SELECT arrayJoin(arrayZip({known_traces:Array(String)}, {known_spans:Array(String)}))), SpanId, '')

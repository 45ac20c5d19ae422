sipHash128(Timestamp, ObservedTimestamp, TraceId, SpanId, Body, BodyType, ScopeName, EventName, LogAttributes, LogAttributeTypes, ResourceAttributes, ResourceAttributeTypes)

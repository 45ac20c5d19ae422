SELECT SegmentRow FROM otel_logs WHERE Segment = {segment:UInt64}

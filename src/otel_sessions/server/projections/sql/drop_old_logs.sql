ALTER TABLE otel_logs DELETE WHERE Timestamp <= fromUnixTimestamp64Nano({last:Int64})

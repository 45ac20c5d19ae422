SELECT ${columns}, ${row_id} AS Row, CountedIn, CountedAs FROM otel_logs

SELECT count() FROM otel_logs WHERE ${which}

"""The doors that OpenTelemetry data comes in by: OTLP over HTTP and over gRPC."""

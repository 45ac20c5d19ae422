"""OTLP over HTTP and over gRPC."""

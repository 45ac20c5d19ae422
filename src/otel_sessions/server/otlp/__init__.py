"""OTLP as it comes in: transports, encodings, and what is in a request."""

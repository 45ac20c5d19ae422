"""OTLP requests: encodings, formats and messages, and their records as rows and facts."""

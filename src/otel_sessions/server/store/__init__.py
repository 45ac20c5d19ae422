"""Spans, logs and trace groups in ClickHouse, embedded or a server; every statement is a file."""

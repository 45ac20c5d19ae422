"""What is derived from spans: facts of traces, trace groups and session rows, kept in step with one another."""

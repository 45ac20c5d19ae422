TRUNCATE TABLE doomed_spans

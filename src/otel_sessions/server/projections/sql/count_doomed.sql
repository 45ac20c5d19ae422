SELECT count() FROM doomed_spans

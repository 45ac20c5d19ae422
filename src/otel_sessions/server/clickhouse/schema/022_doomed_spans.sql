-- Replaced by deletion_queue.
DROP TABLE IF EXISTS doomed_spans

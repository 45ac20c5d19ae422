-- Commits make small parts. The engine takes all parts below 5 MB for equally large and, from ten parts on, merges any few:
-- each row was written again three times in its first 15 seconds. Ten of a size at a time, and column by column, takes a third.
ALTER TABLE otel_traces
    MODIFY SETTING
        merge_selector_base = 10,
        merge_selector_blurry_base_scale_factor = 10,
        vertical_merge_algorithm_min_rows_to_activate = 1,
        vertical_merge_algorithm_min_bytes_to_activate = 1

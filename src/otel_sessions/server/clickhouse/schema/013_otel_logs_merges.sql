-- As for otel_traces.
ALTER TABLE otel_logs
    MODIFY SETTING
        merge_selector_base = 10,
        merge_selector_blurry_base_scale_factor = 10,
        vertical_merge_algorithm_min_rows_to_activate = 1,
        vertical_merge_algorithm_min_bytes_to_activate = 1

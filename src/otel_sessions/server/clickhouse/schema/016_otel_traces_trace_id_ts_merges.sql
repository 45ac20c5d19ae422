-- Ten small parts at a time, as for otel_traces.
ALTER TABLE otel_traces_trace_id_ts
    MODIFY SETTING merge_selector_base = 10, merge_selector_blurry_base_scale_factor = 10

-- Ten small parts at a time, as for otel_traces.
ALTER TABLE trace_facts
    MODIFY SETTING merge_selector_base = 10, merge_selector_blurry_base_scale_factor = 10

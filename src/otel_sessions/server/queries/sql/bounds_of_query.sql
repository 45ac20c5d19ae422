SETTINGS
    readonly = 1,
    limit = ${limit},
    max_execution_time = ${seconds},
    timeout_overflow_mode = 'throw',
    max_memory_usage = ${memory},
    max_temporary_data_on_disk_size_for_query = ${disk},
    max_threads = 2,
    max_block_size = 8192,
    output_format_json_quote_64bit_integers = 0,
    output_format_json_quote_decimals = 1,
    output_format_json_quote_denormals = 1

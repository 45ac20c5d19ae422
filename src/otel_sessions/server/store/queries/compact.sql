OPTIMIZE TABLE session_traces FINAL

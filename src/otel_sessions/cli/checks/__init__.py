"""What `otel-sessions doctor` looks at: each check is one function over what was seen, and asks nothing itself."""

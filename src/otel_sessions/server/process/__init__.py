"""One server process: its settings, its start and end, and its background jobs."""

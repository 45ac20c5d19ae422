"""What a trace and a session used, cost and suffered: pure functions over plain records."""

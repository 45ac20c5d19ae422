SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'sessions'

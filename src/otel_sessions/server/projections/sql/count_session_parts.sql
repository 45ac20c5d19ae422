SELECT count() FROM system.parts WHERE active AND database = currentDatabase() AND table = 'sessions'

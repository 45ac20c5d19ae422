SELECT max(Version) FROM sessions

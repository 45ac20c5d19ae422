DROP TABLE IF EXISTS session_traces_rebuilt SYNC

DROP TABLE IF EXISTS messages_rebuilt SYNC

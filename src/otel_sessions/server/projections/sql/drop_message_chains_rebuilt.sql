DROP TABLE IF EXISTS message_chains_rebuilt SYNC

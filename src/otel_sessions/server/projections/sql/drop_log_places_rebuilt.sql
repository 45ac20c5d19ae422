DROP TABLE IF EXISTS log_places_rebuilt SYNC

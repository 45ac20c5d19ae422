DELETE FROM scores WHERE ${which}

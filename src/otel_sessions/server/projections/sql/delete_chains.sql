DELETE FROM message_chains WHERE ${going}

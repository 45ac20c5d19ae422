DELETE FROM messages WHERE ${going}

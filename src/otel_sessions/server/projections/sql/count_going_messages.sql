SELECT uniqExact(Key, Owner, Digest) FROM messages WHERE ${going}

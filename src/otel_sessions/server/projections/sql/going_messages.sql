-- Messages of the owners of what goes that nothing repeats which stays.
(Key, Owner) IN (SELECT Key, Owner FROM message_chains WHERE ${going})
    AND (Key, Owner, Digest) NOT IN (
        SELECT Key, Owner, arrayJoin(${digests})
        FROM message_chains
        WHERE (Key, Owner) IN (SELECT Key, Owner FROM message_chains WHERE ${going}) AND NOT (${going})
    )

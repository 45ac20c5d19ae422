-- The sessions of a key with a text in their id, their name, or one of their messages: in messages whose owner is the session; in those of a
-- unit that it has a part of; and, by what was captured of their units, in those of owners of another key, or of no session that exists.
SELECT IdHash
FROM sessions FINAL
WHERE Key = {key:String}
    AND ${named}
UNION ALL
SELECT Owner FROM messages WHERE Key = {key:String} AND Text LIKE {said:String}
UNION ALL
SELECT IdHash
FROM session_traces FINAL
WHERE Key = {key:String}
    AND Deleted = 0
    AND TraceId IN (
        SELECT Owner FROM messages WHERE Key = '' AND Text LIKE {said:String}
        UNION ALL
        SELECT Unit
        FROM (
            SELECT
                Key,
                Owner,
                Unit,
                arrayJoin(
                    arrayMap(
                        place -> reinterpretAsUInt64(substring(concat(Input, Output), place * 8 + 1, 8)),
                        range(intDiv(length(Input) + length(Output), 8))
                    )
                ) AS Digest
            FROM message_chains
            WHERE (Key, Owner) IN (SELECT Key, Owner FROM messages WHERE ${strays} AND Text LIKE {said:String})
        )
        WHERE (Key, Owner, Digest) IN (SELECT Key, Owner, Digest FROM messages WHERE ${strays} AND Text LIKE {said:String})
    )

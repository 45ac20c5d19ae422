SELECT Key, Id, Name
FROM (SELECT * FROM session_names FINAL WHERE Name IS NOT NULL AND ${which}) AS Renamed
INNER JOIN (
    SELECT DISTINCT Key, IdHash, Id FROM session_traces WHERE (Key, IdHash) IN (SELECT Key, IdHash FROM session_names)
) AS Named USING (Key, IdHash)
ORDER BY Key, Id
SETTINGS max_block_size = ${rows}

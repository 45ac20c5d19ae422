SELECT ${columns}
FROM scores FINAL
WHERE Posted AND (${which})
ORDER BY Time, Id
SETTINGS max_block_size = ${rows}

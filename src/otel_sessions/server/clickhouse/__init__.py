"""ClickHouse, embedded or a server: the client, the schema and its migrations, inserts in RowBinary."""

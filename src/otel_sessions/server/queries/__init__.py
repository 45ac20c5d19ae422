"""Questions about sessions as SQL: filters, sorting, pages, spans and cohorts."""

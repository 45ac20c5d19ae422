-- As a subquery, it can neither write its answer to a file nor change settings while it is looked at.
EXPLAIN AST SELECT * FROM (
${query}
)

"""`checked_query`: SQL that may be run for anybody who may read: one statement that reads tables of this store, and nothing else.

The engine's `readonly` is not enough: it lets a statement write its answer to a file, read files with functions, end other queries and
hold several statements. So the engine itself parses the SQL, and only what is listed here passes, in the form in which the engine wrote
it down again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import Template
from typing import Final, NamedTuple

from clickhouse_connect.driver.client import Client

from otel_sessions.server.clickhouse.columns import COLUMNS, TIMES
from otel_sessions.server.queries.statements import statement

TABLES: Final = (*COLUMNS, TIMES)
"""The tables that a query may read."""

SYSTEM_TABLES: Final = frozenset({"system.one", "system.numbers", "system.numbers_mt", "system.functions"})
SCHEMA_TABLES: Final = frozenset({"system.tables", "system.columns", "system.parts"})
"""Of an embedded store, which has no tables of others."""

TABLE_FUNCTIONS: Final = frozenset(
    {"numbers", "numbers_mt", "zeros", "zeros_mt", "generateseries", "generate_series", "values", "null"}
)
"""The only ones that reach nothing outside of the query."""

_FORBIDDEN: Final = re.compile(
    r"file|filesystem\w*|dict\w+|joinget\w*|hascolumnintable|sleep\w*|ai[a-z]+|reversednsquery|getclienthttpheader|getserversetting"
    r"|getserverport|getmacro|serveruuid|showcertificate|catboostevaluate|addressto\w+|demangle|mergetreepartinfo|executable\w*|python\w*"
    r"|remote\w*|url|s3\w*|input|evalmlmethod|getsetting\w*"
)
"""Functions that read files, dictionaries, other tables, the configuration or the network, or do nothing but wait."""

_PLAIN: Final = frozenset(
    {
        "SelectWithUnionQuery",
        "SelectIntersectExceptQuery",
        "SelectQuery",
        "ExpressionList",
        "Asterisk",
        "QualifiedAsterisk",
        "ColumnsRegexpMatcher",
        "ColumnsListMatcher",
        "QualifiedColumnsRegexpMatcher",
        "QualifiedColumnsListMatcher",
        "ColumnsTransformerList",
        "ColumnsExceptTransformer",
        "ColumnsReplaceTransformer",
        "ColumnsReplaceTransformer::Replacement",
        "TablesInSelectQuery",
        "TablesInSelectQueryElement",
        "TableExpression",
        "TableJoin",
        "ArrayJoin",
        "Subquery",
        "WithElement",
        "Literal",
        "OrderByElement",
        "InterpolateElement",
        "WindowListElement",
        "WindowDefinition",
        "SampleRatio",
        "NameTypePair",
    }
)
"""Parts of a query that only hold other parts. `APPLY` is not among them, since it names functions as text."""

_NODE: Final = re.compile(r"( *)([A-Za-z_:]+)(?: +(.*?))?(?: \(alias .*\))?(?: \(children \d+\))?")
_EXPLAIN: Final = re.compile(
    r"EXPLAIN(?: (?:PLAN|PIPELINE|SYNTAX|ESTIMATE|QUERY TREE))?(?: \w+ = \d+(?:, \w+ = \d+)*)?\n"
)
_TABLE: Final = re.compile(r"(?:DESCRIBE TABLE|SHOW CREATE TABLE) (?:(\w+)\.)?(\w+)")
_TEXT: Final = re.compile(r"'(?:[^'\\]|\\.)*'", re.DOTALL)
_COMMON_TABLE: Final = re.compile(r"^\s*(?:WITH (?:RECURSIVE )?)?(\w+) AS(?: MATERIALIZED)?\s*\(", re.MULTILINE)


class QueryRefusedError(Exception):
    """The SQL is not a question that may be asked; the message says why."""


class CheckedQuery(NamedTuple):
    """A statement that may be run, and whether it is a query rather than a question about one or about a table."""

    sql: str
    is_select: bool = False


class _Node(NamedTuple):
    """A part of a query: what it is, its name if it has one, and what it is in."""

    kind: str
    name: str
    parent: str


def checked_query(client: Client, sql: str, *, is_embedded: bool) -> CheckedQuery:
    """The statement as the engine writes it, without comments.

    Args:
        client: of the engine that will run it, in its database.
        sql: what was asked.
        is_embedded: the engine has no databases of others.

    Raises:
        QueryRefusedError: it is not one statement that only reads tables of this store.
        Error: it is not valid SQL.
    """
    query = str(client.query(statement("canonical_query"), parameters={"sql": sql}).result_rows[0][0])
    if query == "SHOW TABLES":
        return CheckedQuery(query)
    named = _TABLE.fullmatch(query)
    if named is not None:
        database, table = named.groups()
        if database not in (None, client.database) or table not in TABLES:
            raise _of_others(query.rsplit(maxsplit=1)[-1])
        return CheckedQuery(query)
    explained = _EXPLAIN.match(query)
    read = query if explained is None else query[explained.end() :]
    if not re.match(r"(SELECT|WITH|\()", read):
        raise QueryRefusedError(
            f"{query.split(maxsplit=1)[0]} is not allowed here; ask with SELECT, or with DESCRIBE TABLE, SHOW TABLES, "
            "SHOW CREATE TABLE or EXPLAIN"
        )
    if explained is None and re.search(r"\b(INTO OUTFILE|FORMAT \w+|SETTINGS)\b", _TEXT.sub("''", query)):
        raise QueryRefusedError("INTO OUTFILE, FORMAT and SETTINGS are not allowed here; ask with the query alone")
    tree = client.query(Template(statement("query_tree")).substitute(query=read)).result_rows
    _check(list(_nodes(line for (line,) in tree)), client, query, is_embedded=is_embedded)
    return CheckedQuery(query, is_select=explained is None)


def _nodes(lines: Iterator[str]) -> Iterator[_Node]:
    above: list[str] = []
    for line in lines:
        found = _NODE.fullmatch(line)
        if found is None:
            raise QueryRefusedError(f"this part of the query is not allowed here: {line.strip()[:100]}")
        depth, kind, name = len(found[1]), found[2], found[3] or ""
        del above[depth:]
        yield _Node(kind, name, above[-1] if above else "")
        above.append(kind)


def _check(nodes: list[_Node], client: Client, query: str, *, is_embedded: bool) -> None:
    readable = SYSTEM_TABLES | (SCHEMA_TABLES if is_embedded else set())
    common = set(_COMMON_TABLE.findall(_TEXT.sub("''", query)))
    rows = client.query(statement("names_of_others"), parameters={"tables": list(TABLES)}).result_rows
    others = {name for (name,) in rows}
    if named := common & others:
        raise _of_others(min(named))
    for kind, name, parent in nodes[:-1]:
        if kind == "Function":
            allowed = parent != "TableExpression" or name.lower() in TABLE_FUNCTIONS
            if not allowed or _FORBIDDEN.fullmatch(name.lower()):
                raise QueryRefusedError(
                    f"the function {name} is not allowed here: it reaches more than the tables of this store"
                )
        elif kind == "TableIdentifier":
            own = name.removeprefix(f"{client.database}.")
            if own not in TABLES and name not in common and name not in readable:
                raise _of_others(name)
        elif kind == "Identifier":
            first, _, rest = name.partition(".")
            if first in others and f"{first}.{rest.partition('.')[0]}" not in readable:
                raise _of_others(name)
        elif kind not in _PLAIN:
            raise QueryRefusedError(f"{kind} is not allowed in a query here")


def _of_others(name: str) -> QueryRefusedError:
    return QueryRefusedError(f"{name} is not a table of this store; SHOW TABLES lists those that are")

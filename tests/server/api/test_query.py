"""Questions in SQL: what is answered, what is refused, and what is stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError
from starlette.testclient import TestClient
from tests.server.api.sending import a_span, send, send_logs

from otel_sessions.server.backend import Backend
from otel_sessions.server.clickhouse.errors import StoreAwayError
from otel_sessions.server.queries.query_check import QueryRefusedError, _nodes
from otel_sessions.server.queries.read_only import QueryFailedError, _failed


def asked(client: TestClient, sql: str, status: int = 200, **more: Any) -> Any:
    """The answer to a question; of an error its code and message."""
    answer = client.post("/v1/query", json={"sql": sql, **more})
    assert answer.status_code == status, answer.text
    return answer.json() if status == 200 else answer.json()["error"]


def refused(client: TestClient, sql: str) -> str:
    """The message of a refusal."""
    error = asked(client, sql, 400)
    assert error["code"] in ("query_refused", "query_failed")
    message: str = error["message"]
    return message


def test_answers(client: TestClient, backend: Backend) -> None:
    """Rows come as objects, with the columns and their types; what was acknowledged is there."""
    send(backend, a_span(1, 1, session="s", name="first"), a_span(1, 2, session="s", name="second"))
    send_logs(backend, {"body": "said", "attributes": {"session.id": "s"}})
    assert asked(
        client, "SELECT SpanName, count() AS n FROM otel_traces GROUP BY SpanName ORDER BY SpanName; -- done"
    ) == {
        "data": [{"SpanName": "first", "n": 1}, {"SpanName": "second", "n": 1}],
        "columns": [{"name": "SpanName", "type": "LowCardinality(String)"}, {"name": "n", "type": "UInt64"}],
        "truncated": False,
    }
    assert asked(client, "SELECT Body FROM otel.otel_logs")["data"] == [{"Body": "said"}]
    assert asked(client, "SELECT Id FROM sessions FINAL")["data"] == [{"Id": "s"}]


def test_values(client: TestClient) -> None:
    """Integers of 64 bits are exact, wider ones and decimals are text, and a second column of a name gets a number."""
    sql = """
        SELECT 18446744073709551615 AS big, toUInt128(7) AS wide, [toInt256(-8)] AS wider, toDecimal128('0.10', 2) AS money,
            nan AS n, NULL AS nothing, map('a', 1) AS m, 3, 3
    """
    assert asked(client, sql)["data"] == [
        {
            "big": 18446744073709551615,
            "wide": "7",
            "wider": ["-8"],
            "money": "0.1",
            "n": "nan",
            "nothing": None,
            "m": {"a": 1},
            "3": 3,
            "3_2": 3,
        }
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "WITH x AS (SELECT 1 AS a) SELECT a FROM x",
        "SELECT 1 UNION ALL SELECT 2",
        "(SELECT 1)",
        "SELECT 'INSERT; -- \\' SETTINGS readonly = 0' /* DROP TABLE sessions */",
        "SELECT quantile(0.5)(Duration) OVER (PARTITION BY TraceId) FROM otel_traces",
        "SELECT t.SpanName FROM otel_traces AS t JOIN otel_logs AS l ON t.TraceId = l.TraceId WHERE t.TraceId IN (SELECT TraceId FROM otel_logs)",
        "SELECT arrayMap(x -> x + 1, [1]), * EXCEPT (Facts) FROM trace_facts",
        "SELECT COLUMNS('Id') FROM sessions ARRAY JOIN Tags AS tag ORDER BY Version WITH FILL LIMIT 3",
        "SELECT number FROM numbers(10)",
        "SELECT name FROM system.tables WHERE database = currentDatabase()",
        "SHOW TABLES",
        "SHOW CREATE TABLE otel_logs",
        "DESCRIBE TABLE otel_traces",
        "EXPLAIN SELECT * FROM otel_traces",
        "EXPLAIN indexes = 1 SELECT * FROM otel_traces",
        "EXPLAIN PIPELINE SELECT * FROM otel_traces",
    ],
)
def test_what_may_be_asked(client: TestClient, sql: str) -> None:
    """Any one statement that only reads tables of the store."""
    assert asked(client, sql)["columns"]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO sessions (Id) VALUES ('x')",
        "INSERT INTO FUNCTION file('x.csv') SELECT 1",
        "CREATE TABLE x (a UInt8) ENGINE = Memory",
        "DROP TABLE sessions",
        "TRUNCATE TABLE otel_logs",
        "ALTER TABLE otel_logs DELETE WHERE 1",
        "DELETE FROM otel_logs WHERE 1",
        "OPTIMIZE TABLE sessions",
        "RENAME TABLE sessions TO x",
        "SET readonly = 0",
        "USE system",
        "SYSTEM FLUSH LOGS",
        "KILL QUERY WHERE 1",
        "GRANT ALL ON *.* TO default",
        "BACKUP TABLE sessions TO File('x')",
        "SHOW PROCESSLIST",
        "SHOW TABLES FROM system",
        "SHOW CREATE TABLE system.users",
        "DESCRIBE TABLE file('/etc/passwd')",
        "DESCRIBE TABLE system.users",
        "EXISTS TABLE sessions",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE sessions",
        "SELECT 1 SETTINGS readonly = 0",
        "SELECT 1 SETTINGS max_execution_time = 1000",
        "SELECT * FROM (SELECT 1 SETTINGS max_threads = 64)",
        "SELECT 1 FORMAT CSV",
        "EXPLAIN SELECT 1 FORMAT CSV",
        "EXPLAIN AST SELECT 1 INTO OUTFILE 'x'",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT * FROM (SELECT * FROM file('/etc/passwd', 'LineAsString'))",
        "SELECT * FROM `/etc/passwd`",
        "SELECT file('/etc/passwd')",
        "SELECT FILE('/etc/passwd')",
        "SELECT * APPLY(file) FROM (SELECT '/etc/passwd')",
        "SELECT * APPLY(x -> file(x)) FROM (SELECT '/etc/passwd')",
        "SELECT arrayMap(x -> file(x), ['/etc/passwd'])",
        "WITH file('/etc/passwd') AS f SELECT f",
        "SELECT 1 ORDER BY file('/etc/passwd')",
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
        "SELECT * FROM s3('http://127.0.0.1:1/x')",
        "SELECT * FROM remote('127.0.0.1', system.one)",
        "SELECT * FROM executable('x.sh', 'TSV', 'a String')",
        "SELECT * FROM input('a String')",
        "SELECT * FROM Python(x)",
        "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
        "SELECT * FROM merge('.*', '.*')",
        "SELECT * FROM viewExplain('EXPLAIN', '', (SELECT 1))",
        "SELECT * FROM dictionary('x')",
        "SELECT dictGet('x', 'y', 1)",
        "SELECT joinGet('x', 'y', 1)",
        "SELECT hasColumnInTable('127.0.0.1', 'system', 'one', 'dummy')",
        "SELECT sleep(1)",
        "SELECT sleepEachRow(1)",
        "SELECT reverseDNSQuery('127.0.0.1')",
        "SELECT * FROM system.users",
        "SELECT * FROM system.processes",
        "SELECT * FROM system.settings",
        "SELECT * FROM INFORMATION_SCHEMA.TABLES",
        "SELECT 1 WHERE 1 IN system.users",
        "SELECT 1 WHERE 1 NOT IN (system.query_log)",
        "WITH `system.users` AS (SELECT 1) SELECT * FROM system.users",
        "SELECT * FROM unknown_table",
        "SELECT {x:UInt8}",
        "SELECT",
        "",
        "  -- nothing",
        "\0",
    ],
)
def test_what_is_refused(client: TestClient, backend: Backend, sql: str) -> None:
    """Whatever changes something, leaves the tables of the store, or changes settings; the store is as it was."""
    answer = client.post("/v1/query", json={"sql": sql})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["code"] in ("query_refused", "query_failed", "invalid_body")
    assert asked(client, "SELECT 1 AS one")["data"] == [{"one": 1}]


def test_no_file_is_written(client: TestClient, tmp_path: Path) -> None:
    """An answer cannot be written to a file of the server, in whatever statement."""
    target = tmp_path / "out.csv"
    for sql in (
        "SELECT 1 INTO OUTFILE '{}'",
        "EXPLAIN SELECT 1 INTO OUTFILE '{}'",
        "SHOW TABLES INTO OUTFILE '{}'",
        "EXPLAIN AST SELECT 1 INTO OUTFILE '{}'",
    ):
        refused(client, sql.format(target))
        refused(client, sql.format(target) + " FORMAT CSV")
    assert not target.exists()


def test_bounds(client: TestClient, backend: Backend) -> None:
    """Rows, time, memory and the size of an answer have an end, and the next question finds nothing of the last one."""
    found = asked(client, "SELECT number FROM numbers(1000000000000)", limit=3)
    assert (found["data"], found["truncated"]) == ([{"number": 0}, {"number": 1}, {"number": 2}], True)
    assert not asked(client, "SELECT number FROM numbers(3)", limit=3)["truncated"]
    assert len(asked(client, "SELECT number FROM numbers(5000)")["data"]) == 1_000
    slow = refused_with(client, "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 7", seconds=0.2)
    assert slow == "the query was stopped after 0.2 s; ask for less, or allow more `seconds`"
    assert "more than 1024 MiB of memory" in refused(
        client, "SELECT length(groupArray(number)) FROM numbers(1000000000)"
    )
    assert "more than 64 MiB" in refused(client, "SELECT repeat('x', 100000) FROM numbers(1000)")
    send(backend, a_span(9, 1, session="after"))
    assert asked(client, "SELECT Id FROM sessions WHERE Id = 'after'")["data"] == [{"Id": "after"}]


def refused_with(client: TestClient, sql: str, **more: Any) -> str:
    """The message of a refusal of a question with bounds."""
    message: str = asked(client, sql, 400, **more)["message"]
    return message


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{", "body: Invalid JSON"),
        ("[]", "body: Input should be an object"),
        ("{}", "sql: Field required"),
        ('{"sql": 7}', "sql: Input should be a valid string"),
        ('{"sql": "SELECT 1", "limit": 0}', "limit: Input should be greater than or equal to 1"),
        ('{"sql": "SELECT 1", "limit": 100001}', "limit: Input should be less than or equal to 100000"),
        ('{"sql": "SELECT 1", "seconds": 0}', "seconds: Input should be greater than 0"),
        ('{"sql": "SELECT 1", "settings": {}}', "settings: Extra inputs are not permitted"),
        ('{"sql": "' + "x" * (1 << 20) + '"}', "the body has more than 1048576 bytes"),
    ],
)
def test_bad_bodies(client: TestClient, body: str, said: str) -> None:
    """A body that is no question is an error that names what is wrong."""
    answer = client.post("/v1/query", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]


def test_other_pages_may_not_ask(client: TestClient) -> None:
    """A page of another site cannot ask, by its origin or with a form."""
    asking = {"sql": "SELECT 1"}
    assert client.post("/v1/query", json=asking, headers={"Origin": "https://evil.example"}).status_code == 403
    assert (
        client.post("/v1/query", content='{"sql": "SELECT 1"}', headers={"Content-Type": "text/plain"}).status_code
        == 415
    )


def test_wide_integers_in_maps(client: TestClient) -> None:
    """Wide integers are text wherever they stand; what stands beside them stays as it is."""
    sql = "SELECT map('a', toInt128(7)) AS m, tuple(toInt128(1), 'x', true) AS t"
    (row,) = asked(client, sql)["data"]
    assert row["m"] == {"a": "7"}
    assert "1" in str(row["t"])


def test_a_part_that_hides_another_database(client: TestClient) -> None:
    """A common table of the name of another database is refused: what it stands for could not be told."""
    assert "system" in refused(client, "WITH system AS (SELECT 1) SELECT * FROM system")


def test_a_tree_of_another_form() -> None:
    """What the engine says of a query in a form that is not known is refused, with the line."""
    with pytest.raises(QueryRefusedError, match=r"this part of the query is not allowed here: \?\?\?"):
        list(_nodes(iter(["  ???"])))


def test_an_engine_that_is_away() -> None:
    """A store that cannot be reached is told as such, not as a fault of the question."""
    store: Any = Mock(shown="http://clickhouse")
    assert isinstance(_failed(store, OperationalError("refused"), 1.0), StoreAwayError)
    assert isinstance(_failed(store, DatabaseError("unknown column"), 1.0), QueryFailedError)

"""`PriceFile`: what a prices file means, and what it says when it is wrong."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from otel_sessions.counting.prices.custom import PriceFile
from otel_sessions.counting.prices.rates import TOTALS_ONLY
from otel_sessions.counting.tokens import Usage

if TYPE_CHECKING:
    from pathlib import Path

MTOK = Usage(1_000_000, 1_000_000)
JAN_1_2026 = 1_767_225_600_000_000_000


def written(folder: Path, text: str, name: str = "prices.toml") -> Path:
    """A file with this text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def total(
    prices: PriceFile, model: str, usage: Usage = MTOK, provider: str | None = None, at: int = 0
) -> Decimal | None:
    """The total cost of one call."""
    cost = prices.price(provider=provider, model=model, usage=usage, at=at, context=(("service_tier", "flex"),))
    return None if cost is None else cost.total


def test_toml_and_json_mean_the_same(tmp_path: Path) -> None:
    """Numbers and strings are exact decimals in both forms, and the source is the file's name."""
    toml = '[[price]]\nmodel = "m"\ninput = 0.1\noutput = "0.2"\ncache_read = 0\ncache_write = 1\n'
    json = '{"price": [{"model": "m", "input": 0.1, "output": "0.2", "cache_read": 0, "cache_write": 1}]}'
    for text, name in ((toml, "my.toml"), (json, "my.JSON")):
        prices = PriceFile(str(written(tmp_path, text, name)))
        cost = prices.price(provider=None, model="m", usage=Usage(100, 10, 30, 20), at=0)
        assert cost is not None
        assert (cost.input, cost.output) == (Decimal("0.000025"), Decimal("0.000002"))
        assert cost.total == Decimal("0.000027")
        assert cost.source == f"prices file {name}"


def test_missing_prices(tmp_path: Path) -> None:
    """Cached input costs what input costs; a call with output needs an output price."""
    prices = PriceFile(written(tmp_path, '[[price]]\nmodel = "m"\ninput = 3\n'))
    assert total(prices, "m", Usage(1_000_000, 0, 500_000, 400_000)) == 3
    assert total(prices, "m", Usage(1_000_000)) == 3
    assert total(prices, "m", Usage(1, 1)) is None
    assert total(prices, "m", Usage()) is None
    assert total(prices, "other", Usage(1)) is None


def test_a_price_of_zero_is_known(tmp_path: Path) -> None:
    """Everything of a local provider can be declared free."""
    text = '[[price]]\nmodel = "*"\nprovider = "ollama"\ninput = 0\noutput = 0\n'
    prices = PriceFile(written(tmp_path, text))
    assert total(prices, "anything", provider="Ollama") == 0
    assert total(prices, "anything", provider="openai") is None
    assert total(prices, "anything") is None


def test_the_most_specific_entry_decides(tmp_path: Path) -> None:
    """A whole name comes before a prefix, a long prefix before a short one, and an entry with a provider before one without."""
    text = "".join(
        f'[[price]]\nmodel = "{model}"\ninput = {price}\n{extra}\n'
        for model, price, extra in (
            ("GPT-*", 1, ""),
            ("gpt-4o*", 2, ""),
            ("gpt-4o-mini", 3, ""),
            ("gpt-4o-mini", 4, 'provider = "azure.ai.openai"'),
        )
    )
    prices = PriceFile(written(tmp_path, text))
    usage = Usage(1_000_000, 0)
    assert total(prices, "gpt-5", usage) == 1
    assert total(prices, "gpt-4o-2024", usage) == 2
    assert total(prices, "GPT-4o-Mini", usage, "openai") == 3
    assert total(prices, "gpt-4o-mini", usage, "az.ai.openai") == 4


def test_dates_limit_a_price(tmp_path: Path) -> None:
    """`from` is the first day with the price, `until` the first without, both in UTC."""
    text = (
        '[[price]]\nmodel = "m"\ninput = 2\nfrom = 2026-01-01\nuntil = 2026-01-02\n'
        '[[price]]\nmodel = "m"\ninput = 1\nuntil = "2026-01-01"\n'
    )
    prices = PriceFile(written(tmp_path, text))
    usage = Usage(1_000_000)
    day = 86_400_000_000_000
    moments = (0, JAN_1_2026 - 1, JAN_1_2026, JAN_1_2026 + day - 1, JAN_1_2026 + day)
    assert [total(prices, "m", usage, at=at) for at in moments] == [1, 1, 2, 2, None]


def test_contradictory_parts_are_left_out_and_said(tmp_path: Path) -> None:
    """A call with more cache reads than input is charged by its totals."""
    prices = PriceFile(written(tmp_path, '[[price]]\nmodel = "m"\ninput = 3\noutput = 1\ncache_read = 1\n'))
    cost = prices.price(provider=None, model="m", usage=Usage(1_000_000, 0, 2_000_000), at=0)
    assert cost is not None
    assert (cost.total, cost.source) == (Decimal(3), "prices file prices.toml" + TOTALS_ONLY)


def test_nothing_makes_it_raise(tmp_path: Path) -> None:
    """Oversized names have no price, and names that are not strings are counted."""
    prices = PriceFile(written(tmp_path, '[[price]]\nmodel = "*"\ninput = 3\n'))
    assert total(prices, "m" * 257) is None
    assert total(prices, "m", provider="p" * 257) is None
    assert prices.failures == 0
    nothing: Any = None
    assert total(prices, nothing) is None
    assert prices.failures == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"no prices; add a \[\[price\]\] table"),
        ("price = []", "no prices"),
        ("price = 3", "no prices"),
        ("x = 1\n[[price]]\nmodel = 'm'\ninput = 1", r"'x' is not known here; put everything into"),
        ("[[price]", "is not valid TOML .*; correct it there"),
        ("price = [1]", r"price 1: is 1 \(int\); write a table"),
        ("[[price]]\ninput = 1", "price 1: has no model; add one"),
        ("[[price]]\nmodel = ' '", "price 1: has no model; add one"),
        ("[[price]]\nmodel = 4", "price 1: has no model; add one"),
        ("[[price]]\nmodel = 'm'\ninptu = 1", r"price 1 \(model 'm'\): 'inptu' is not known; use one of model, "),
        ("[[price]]\nmodel = 'a*b'\ninput = 1", "'\\*' stands in the middle"),
        ("[[price]]\nmodel = 'm'\ninput = 1\nprovider = 1", r"provider is 1 \(int\); write its name"),
        ("[[price]]\nmodel = 'm'\ninput = 1\nprovider = ' '", "provider is ' ' .* leave it out"),
        ("[[price]]\nmodel = 'm'", "has neither input nor output; write USD per million"),
        ("[[price]]\nmodel = 'm'\noutput = 1\ncache_read = 1", "has a cache price but no input; add input"),
        ("[[price]]\nmodel = 'm'\ninput = true", r"input is True \(bool\); write USD"),
        ("[[price]]\nmodel = 'm'\ninput = []", r"input is \[\] \(list\); write USD"),
        ("[[price]]\nmodel = 'm'\ninput = '2 USD'", "input is '2 USD', which is not a number; write USD"),
        ("[[price]]\nmodel = 'm'\ninput = -1", "input is -1, but a price is from 0"),
        ("[[price]]\nmodel = 'm'\ninput = nan", "input is NaN, but a price is from 0"),
        ("[[price]]\nmodel = 'm'\ninput = inf", "input is Infinity, but a price is from 0"),
        ("[[price]]\nmodel = 'm'\ninput = 1e10", "but a price is from 0"),
        ("[[price]]\nmodel = 'm'\ninput = 1e-21", "at most 20 decimals"),
        ("[[price]]\nmodel = 'm'\ninput = 1\nfrom = 'soon'", "from is 'soon'; write a date such as"),
        ("[[price]]\nmodel = 'm'\ninput = 1\nfrom = 3", r"from is 3 \(int\); write a date such as"),
        ("[[price]]\nmodel = 'm'\ninput = 1\nuntil = 2026-01-01T00:00:00Z", "until is .*datetime.*; write a date"),
        ("[[price]]\nmodel = 'm'\ninput = 1\nfrom = 2026-01-01\nuntil = 2026-01-01", "from is not before until"),
        (
            "[[price]]\nmodel = 'm'\ninput = 1\n[[price]]\nmodel = 'M'\ninput = 2",
            "prices 1 and 2 are for the same model",
        ),
        (
            "[[price]]\nmodel = 'm'\ninput = 1\nfrom = 2026-01-01\n[[price]]\nmodel = 'm'\ninput = 2\nuntil = 2026-01-02",
            "prices 1 and 2 .* remove one, or give them from and until dates",
        ),
    ],
)
def test_a_wrong_file_says_what_and_where(tmp_path: Path, text: str, message: str) -> None:
    """Every error names the file, the entry, the problem and the next step."""
    with pytest.raises(ValueError, match=rf"prices\.toml: .*{message}"):
        PriceFile(written(tmp_path, text))


@pytest.mark.parametrize("text", ['[{"model": "m", "input": 1}]', "3", "null"])
def test_json_that_is_no_table_says_so(tmp_path: Path, text: str) -> None:
    """The error for JSON that is not an object says under which name it has to hold the prices."""
    with pytest.raises(ValueError, match=r"x\.json: no prices; add .*under 'price'"):
        PriceFile(written(tmp_path, text, "x.json"))


@pytest.mark.parametrize("number", ["NaN", "Infinity"])
def test_json_numbers_that_are_none_are_refused(tmp_path: Path, number: str) -> None:
    """Values such as NaN, which Python writes into JSON, are refused."""
    text = f'{{"price": [{{"model": "m", "input": {number}}}]}}'
    with pytest.raises(ValueError, match=r"x\.json: price 1 \(model 'm'\): input is .*\(float\)"):
        PriceFile(written(tmp_path, text, "x.json"))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file, a file of another kind and one that is not UTF-8 are told apart."""
    with pytest.raises(ValueError, match=r"none\.toml: cannot be read \(No such file or directory\); check"):
        PriceFile(tmp_path / "none.toml")
    with pytest.raises(ValueError, match=r"prices\.yaml: a prices file is TOML or JSON; name it"):
        PriceFile(written(tmp_path, "", "prices.yaml"))
    (tmp_path / "latin.toml").write_bytes(b'# \xe9\n[[price]]\nmodel = "m"\ninput = 1\n')
    with pytest.raises(ValueError, match=r"latin\.toml: is not UTF-8 at byte 2; save it as UTF-8"):
        PriceFile(tmp_path / "latin.toml")

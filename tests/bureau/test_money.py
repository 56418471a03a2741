"""Amounts: what is read, what is refused, and that nothing is ever rounded."""

from decimal import Decimal

import pytest
from django.template import Context, Template
from hypothesis import given
from hypothesis import strategies as st

from bureau.identity.faults import Fault
from bureau.money import format_wan, format_yuan, parse_yuan

ANY_AMOUNT = st.integers(min_value=1, max_value=10**13)


@pytest.mark.parametrize(
    ("written", "fen"),
    [
        ("625", 62500),
        ("625.00", 62500),
        ("¥625", 62500),
        ("￥ 625", 62500),
        ("625元", 62500),
        ("1,250.00", 125000),
        ("１２５０", 125000),
        ("1，250．50", 125050),
        ("1 250", 125000),
        ("1\u00a0250", 125000),
        ("\u200b'625.5 ", 62550),
        ("0.01", 1),
        ("625.100", 62510),
        (625, 62500),
        (625.1, 62510),
        (625.1000000000001, 62510),
        (0.1 + 0.2, 30),
        (Decimal("1234.05"), 123405),
        (1e6, 100000000),
    ],
)
def test_amount_is_read_as_fen(written, fen):
    assert parse_yuan(written) == fen


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("0.0625万元", "万"),
        ("0.1万", "万"),
        ("-625", "冲正"),
        ("－625", "冲正"),
        ("(625)", "冲正"),
        ("-0", "冲正"),
        ("0", "大于零"),
        ("0.00", "大于零"),
        ("0.005", "两位小数"),
        ("625.001", "两位小数"),
        ("1234.005", "两位小数"),
        (1234.005, "两位小数"),
        ("陆佰贰拾伍元整", "阿拉伯数字"),
        ("六百", "阿拉伯数字"),
        ("1e3", "格式"),
        ("NaN", "格式"),
        ("Infinity", "格式"),
        (float("nan"), "格式"),
        (float("inf"), "格式"),
        ("1_000", "格式"),
        ("0x10", "格式"),
        ("12,50", "格式"),
        ("1,2345", "格式"),
        ("00625", "格式"),
        ("6²5", "格式"),
        ("٦٢٥", "格式"),
        ("625 300 0", "格式"),
        ("", "格式"),
        (True, "阿拉伯数字"),
        ("1000000000000", "过大"),
    ],
)
def test_amount_is_refused_with_a_remedy(written, says):
    with pytest.raises(Fault) as refusal:
        parse_yuan(written)

    assert refusal.value.code == "amount_format"
    assert says in refusal.value.message


@given(ANY_AMOUNT)
def test_what_is_shown_is_read_back_as_the_same_amount(fen):
    assert parse_yuan(format_yuan(fen)) == fen
    assert parse_yuan(f"¥{format_yuan(fen)}元") == fen


@given(ANY_AMOUNT)
def test_exact_wan_names_every_fen(fen):
    number = format_wan(fen, exact=True).removesuffix(" 万元").replace(",", "")

    assert Decimal(number) * 1_000_000 == fen


@pytest.mark.parametrize(
    ("fen", "yuan", "wan"),
    [
        (134_649_999, "1,346,499.99", "134.6 万元"),
        (134_650_000, "1,346,500.00", "134.7 万元"),
        (946_751_500_00, "946,751,500.00", "94,675.2 万元"),
        (-125_000, "-1,250.00", "-0.1 万元"),
        (-40_000, "-400.00", "0.0 万元"),
        (5, "0.05", "0.0 万元"),
    ],
)
def test_amounts_are_shown_in_yuan_and_in_wan(fen, yuan, wan):
    assert format_yuan(fen) == yuan
    assert format_wan(fen) == wan


def test_page_shows_wan_and_keeps_the_exact_amount_at_hand():
    page = Template("{% load money %}{{ fen|yuan }} {{ fen|wan }} {{ fen|wan_exact }} {{ none|yuan }}")

    assert page.render(Context({"fen": 505_575_00, "none": None})).strip() == (
        '505,575.00 元 <span title="505,575.00 元">50.6 万元</span> 50.5575 万元'
    )

"""Amounts on pages: `{{ payment.amount_fen|yuan }}`, `{{ total_fen|wan }}`."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from bureau.money import format_wan, format_yuan

register = template.Library()


@register.filter
def yuan(fen: int | None) -> str:
    """`1,250.00 元`; nothing for no amount."""
    return "" if fen is None else f"{format_yuan(fen)} 元"


@register.filter
def wan(fen: int | None) -> str | SafeString:
    """`134.7 万元`, with the exact amount to the fen when pointed at."""
    return (
        "" if fen is None else format_html('<span title="{} 元">{}</span>', format_yuan(fen), format_wan(fen))
    )


@register.filter
def wan_exact(fen: int | None) -> str:
    """`50.5575 万元`: every decimal, for letters and reports."""
    return "" if fen is None else format_wan(fen, exact=True)

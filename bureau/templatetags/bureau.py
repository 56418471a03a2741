"""Tags every template has: how this office writes dates, money, states and numbers that must be hidden."""

from datetime import date, datetime
from functools import lru_cache

from django import template
from django.utils import timezone
from django.utils.html import format_html
from lucide.templatetags.lucide import lucide as draw_icon

from bureau.money import format_wan, format_yuan
from bureau.secrecy import mask_account, mask_id, mask_phone

register = template.Library()
register.filter("mask_id", mask_id)
register.filter("mask_phone", mask_phone)
register.filter("mask_account", mask_account)
register.filter("yuan", format_yuan)
register.filter("wan", format_wan)

# What a state's dot says, whatever the kind of object: red waits for somebody, blue is under way, amber needs a
# second look, green is good, grey is over.
TONES = {
    "new": "red",
    "overdue": "red",
    "refused": "red",
    "failed": "red",
    "rejected": "red",
    "unlinked": "red",
    "signalled": "red",
    "assigned": "blue",
    "running": "blue",
    "reading": "blue",
    "fixed": "amber",
    "staged": "amber",
    "open": "amber",
    "queued": "amber",
    "proposed": "amber",
    "announced": "amber",
    "planned": "amber",
    "denied": "red",
    "resumed": "green",
    "undecided": "amber",
    "applied": "green",
    "done": "green",
    "linked": "green",
    "confirmed": "green",
    "explained": "green",
    "claimed": "green",
    "returned": "green",
}


@register.simple_tag
def lucide(name: str, *, size: int | None = 24, **attrs: object) -> str:
    """An icon as inline SVG, drawn once: drawing the twenty of a page again costs more than most of its queries."""
    return _drawn(name, size, tuple(attrs.items()))


@lru_cache(maxsize=1024)
def _drawn(name: str, size: int | None, attrs: tuple[tuple[str, object], ...]) -> str:
    return draw_icon(name, size=size, **dict(attrs))


@register.filter
def date_cn(day: date | datetime | None) -> str:
    """2026年9月1日; a moment is told in Shanghai time without its clock."""
    if not day:
        return ""
    if isinstance(day, datetime):
        day = timezone.localtime(day)
    return f"{day.year}年{day.month}月{day.day}日"


@register.filter
def moment_cn(moment: datetime | None) -> str:
    """2026年9月1日 14:05, Shanghai time."""
    return f"{date_cn(moment)} {timezone.localtime(moment):%H:%M}" if moment else ""


@register.filter
def month_cn(day: date | None) -> str:
    """2015年8月: in lists children are told apart by month of birth, never by a number (docs/guide)."""
    return f"{day.year}年{day.month}月" if day else ""


@register.filter
def duration_cn(seconds: float | None) -> str:
    """45 秒, 3 分 20 秒, 1 小时 5 分."""
    if seconds is None:
        return ""
    seconds = max(0, round(seconds))
    if seconds < 60:
        return f"{seconds} 秒"
    if seconds < 3600:
        return f"{seconds // 60} 分 {seconds % 60} 秒"
    return f"{seconds // 3600} 小时 {seconds % 3600 // 60} 分"


@register.filter
def days_over(due_on: date | None) -> str:
    """How a deadline stands today: 逾期 6 天, 今日到期, or empty while there is time."""
    if not due_on:
        return ""
    days = (timezone.localdate() - due_on).days
    return f"逾期 {days} 天" if days > 0 else "今日到期" if days == 0 else ""


@register.filter
def percent(share) -> str:
    """0.2 as 20%."""
    return f"{float(share) * 100:.4g}%"


@register.filter
def thousands(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


@register.simple_tag
def status(code: str, label: str) -> str:
    """A coloured dot and the state in words: `{% status row.state row.get_state_display %}`."""
    return format_html('<span class="dot dot-{}"></span>{}', TONES.get(code, "grey"), label)


@register.simple_tag
def tag(label: str, tone: str = "grey") -> str:
    """A small label: `{% tag "应助未助" "amber" %}`; tones red, amber, blue, violet, green, grey."""
    return format_html('<span class="tag tag-{}">{}</span>', tone, label)


@register.filter
def sort_url(page, order) -> str:
    return page.sort_url(order)


@register.filter
def direction_of(page, order) -> str | None:
    return page.direction_of(order)


@register.filter
def filtered_by(page, asked) -> bool:
    """Whether the address itself filters: what a list presets (待办理) nobody has chosen."""
    return any(field.text and field.key in asked for field in page.fields)


@register.filter
def without_url(page, key: str) -> str:
    return page.without_url(key)

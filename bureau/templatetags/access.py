"""`{% if request.user|may:"organisation.edit" %}`: show a button only to those whom its page would not refuse."""

from django import template

register = template.Library()


@register.filter
def may(account, right: str) -> bool:
    return bool(account and account.is_authenticated and account.may(right))

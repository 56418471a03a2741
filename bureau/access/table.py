"""Every page with the right it needs, read from the URLconf; and the table of roles, rights and pages for the docs."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver

from bureau.access.roles import ALWAYS, DEFAULT_RIGHTS, NEVER, RIGHTS, Role
from bureau.access.routes import ANYBODY, LOGGED_IN, TOKEN


@dataclass(frozen=True)
class Page:
    """One URL pattern. `right` is None when it was declared without one, which the matrix test refuses."""

    name: str
    route: str
    right: str | None
    arguments: tuple[str, ...]


def pages(resolver: URLResolver | None = None, namespace: str = "", prefix: str = "/") -> Iterator[Page]:
    """All patterns of the URLconf, in its order."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = ":".join(filter(None, (namespace, pattern.namespace)))
            yield from pages(pattern, inner, route)
        elif isinstance(pattern, URLPattern):
            name = ":".join(filter(None, (namespace, pattern.name)))
            yield Page(
                name, route, getattr(pattern.callback, "right", None), tuple(pattern.pattern.converters)
            )


def as_markdown() -> str:
    """docs/guide/rights.md; `python3 manage.py write_rights_guide` writes it."""
    lines = [
        "# 角色、权限与页面",
        "",
        "由 `python3 manage.py write_rights_guide` 按代码生成，请勿手改。县局可以在“账号与权限 → 各角色权限”里调整；",
        "权限决定能打开哪些页面，看到哪些学校和学生由任职的单位决定。不在本人范围内的记录与不存在的记录回答相同（404）。",
        "",
        "## 权限与角色（默认）",
        "",
        "● 有 ○ 没有 ■ 固定有 □ 固定没有",
        "",
        f"| 权限 | 代码 | {' | '.join(role.label for role in Role)} |",
        f"|---|---|{'---|' * len(Role)}",
    ]
    for right, words in RIGHTS.items():
        lines.append(f"| {words} | `{right}` | {' | '.join(_mark(role, right) for role in Role)} |")
    lines += ["", "## 页面与权限", "", "| 页面 | 名称 | 权限 |", "|---|---|---|"]
    words = RIGHTS | {ANYBODY: "任何人（登录之前）", LOGGED_IN: "任何登录的人", TOKEN: "持令牌的外部系统"}
    for page in pages():
        lines.append(f"| `{page.route}` | `{page.name}` | {words[page.right]} |")
    return "\n".join([*lines, ""])


def _mark(role: str, right: str) -> str:
    if right in ALWAYS.get(role, ()):
        return "■"
    if right in NEVER[role]:
        return "□"
    return "●" if right in DEFAULT_RIGHTS[role] else "○"

"""What waits for whoever looks after the accounts."""

from django.urls import reverse

from bureau import desk
from bureau.access.models import Account
from bureau.access.workbook import schools_without_clerk
from bureau.desk import ToDo


def accounts_to_look_after(account: Account) -> list[ToDo]:
    """Schools nobody can upload for, and accounts whose one-time password was never used."""
    if not account.may("accounts.edit"):
        return []
    unused = Account.objects.visible_to(account).filter(is_active=True, must_change_password=True)
    return [
        ToDo(
            "学校还没有经办人账号",
            schools_without_clerk(account).count(),
            reverse("bureau:upload_accounts"),
            tone="amber",
            detail="下载的账号表已列出这些学校，填上姓名即可一次开设",
            unit="所",
            icon="user-plus",
        ),
        ToDo(
            "账号还没有首次登录",
            unused.count(),
            f"{reverse('bureau:accounts')}?state=waiting",
            detail="请提醒本人登录并修改密码，不再需要的请停用",
            unit="个",
            icon="key-round",
        ),
    ]


def plug_in() -> None:
    """Called once from `AppConfig.ready()`."""
    desk.register(accounts_to_look_after)

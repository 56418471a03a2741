"""Roles of the people who use the product, the rights a page can ask for, and who has which by default."""

from django.db import models


class Role(models.TextChoices):
    ADMINISTRATOR = "administrator", "系统管理员"
    AUDITOR = "auditor", "审计员"
    SUPERVISOR = "supervisor", "局领导"
    AID_OFFICER = "aid_officer", "资助中心"
    FINANCE_OFFICER = "finance_officer", "计财股"
    BASIC_EDUCATION_OFFICER = "basic_education_officer", "基教股"
    INSPECTOR = "inspector", "督学"
    TOWNSHIP_OFFICER = "township_officer", "乡镇干部"
    DISTRICT_SCHOOL = "district_school", "中心校（学区）"
    SCHOOL_HEAD = "school_head", "校长"
    SCHOOL_CLERK = "school_clerk", "学校经办人"
    OPERATOR = "operator", "命令行操作员"


SCHOOL_ROLES = [Role.DISTRICT_SCHOOL, Role.SCHOOL_HEAD, Role.SCHOOL_CLERK]
COUNTY_ROLES = [
    Role.ADMINISTRATOR,
    Role.AUDITOR,
    Role.SUPERVISOR,
    Role.AID_OFFICER,
    Role.FINANCE_OFFICER,
    Role.BASIC_EDUCATION_OFFICER,
    Role.OPERATOR,
]

RIGHTS = {
    "desk": "我的工作台",
    "dashboard": "查看综合看板",
    "students.view": "查看学生",
    "students.reveal": "查看完整证件号码（须填理由）",
    "rosters.view": "查看花名册",
    "rosters.upload": "上传、确认花名册",
    "collections.edit": "布置、锁定花名册上报",
    "year.turn": "学年升级、学年安排、学区",
    "year.arrange": "工作日历，学期开学、收尾",
    "registers.view": "查看部门名单",
    "registers.import": "导入部门名单",
    "links.decide": "认定身份匹配",
    "students.merge": "合并、拆分学生档案",
    "differences.view": "查看疑点",
    "differences.settle": "办理疑点",
    "hardship.record": "认定、终止困难身份",
    "reconcile.run": "发起比对",
    "aid.view": "查看资助项目、应助名单和办理进度",
    "aid.apply": "列出、申请、公示资助",
    "aid.review": "学校评审、上报资助",
    "aid.approve": "县级审核资助、困难认定",
    "aid.finance": "财政审核资助",
    "aid.programmes": "维护资助项目和标准",
    "aid.funds": "登记资金指标、学期结账",
    "funds.view": "查看资金指标和台账",
    "dropout.view": "查看控辍保学台账、适龄儿童",
    "dropout.work": "上报线索、核查、走访劝返、登记复学",
    "dropout.order": "下达限期复学通知书、批准缓学休学",
    "dropout.sign_government": "销号：政府线签字",
    "dropout.sign_education": "销号：教育线签字",
    "dropout.decide": "确认、排除、移交、销号，设定期限",
    "dropout.export": "导出控辍保学台账",
    "exchange.edit": "管理数据交换（令牌、自动取件）",
    "jobs.view": "查看后台任务",
    "figures.export": "导出名册",
    "organisation.view": "查看机构",
    "organisation.edit": "维护机构、学期、节假日",
    "accounts.view": "查看账号",
    "accounts.edit": "维护账号",
    "rights.edit": "调整各角色权限",
    "audit.view": "查看审计日志",
}

# Pages of these rights ask for the second factor's code again when the last one is five minutes old.
ASKED_AGAIN = frozenset({"students.reveal"})

_EVERYBODY = {"desk", "jobs.view", "organisation.view"}
_READS = {"students.view", "rosters.view", "differences.view", "aid.view", "dashboard"}
_BUREAU = _EVERYBODY | _READS | {"registers.view", "figures.export", "funds.view"}
_CASES = {"dropout.view", "dropout.work"}
_SCHOOL = _EVERYBODY | {"students.view", "rosters.view", "differences.view", "aid.view", "figures.export"}

DEFAULT_RIGHTS: dict[str, frozenset[str]] = {
    role: frozenset(rights)
    for role, rights in {
        Role.ADMINISTRATOR: _EVERYBODY
        | {"organisation.edit", "accounts.view", "accounts.edit", "rights.edit", "exchange.edit", "dashboard"},
        Role.AUDITOR: _EVERYBODY | {"audit.view", "accounts.view", "dashboard"},
        Role.SUPERVISOR: _BUREAU | {"dropout.view", "dropout.export"},
        Role.AID_OFFICER: _BUREAU
        | {
            "students.reveal",
            "rosters.upload",
            "collections.edit",
            "registers.import",
            "links.decide",
            "students.merge",
            "differences.settle",
            "hardship.record",
            "reconcile.run",
            "exchange.edit",
            "year.arrange",
            "aid.apply",
            "aid.approve",
            "aid.programmes",
        },
        Role.FINANCE_OFFICER: _BUREAU | {"aid.finance", "aid.funds"},
        Role.BASIC_EDUCATION_OFFICER: _BUREAU
        | _CASES
        | {
            "students.reveal",
            "rosters.upload",
            "collections.edit",
            "year.turn",
            "year.arrange",
            "registers.import",
            "links.decide",
            "students.merge",
            "differences.settle",
            "reconcile.run",
            "dropout.order",
            "dropout.sign_education",
            "dropout.decide",
            "dropout.export",
        },
        Role.INSPECTOR: _EVERYBODY | _READS | {"dropout.view"},
        Role.TOWNSHIP_OFFICER: _EVERYBODY | _READS | _CASES
        | {"registers.view", "differences.settle", "aid.apply", "dropout.order", "dropout.sign_government", "dropout.export"},
        Role.DISTRICT_SCHOOL: _SCHOOL | _CASES
        | {"rosters.upload", "differences.settle", "accounts.view", "accounts.edit", "aid.apply", "aid.review"},
        Role.SCHOOL_HEAD: _SCHOOL | _CASES | {"accounts.view", "aid.review", "dropout.sign_education", "dropout.export"},
        Role.SCHOOL_CLERK: _SCHOOL | _CASES | {"rosters.upload", "differences.settle", "aid.apply"},
        Role.OPERATOR: _BUREAU
        | {"rosters.upload", "registers.import", "differences.settle", "hardship.record", "reconcile.run", "aid.apply"},
    }.items()
}

# What the rights page cannot change: whoever administers never audits, and the last door is not locked from inside.
ALWAYS: dict[str, frozenset[str]] = {
    Role.ADMINISTRATOR: frozenset({"accounts.view", "accounts.edit", "rights.edit"}),
    Role.AUDITOR: frozenset({"audit.view"}),
}
NEVER: dict[str, frozenset[str]] = {
    role: frozenset({"rights.edit"} if role != Role.ADMINISTRATOR else {"audit.view"}) for role in Role
}
NEVER[Role.AUDITOR] |= {"accounts.edit", "organisation.edit"}


def place_fault(role: str, *, school=None, township=None) -> str:
    """Why a role cannot be held at this place, in words for the form; empty when it can."""
    if school and township:
        return "学校与乡镇只能选一个。"
    if role in SCHOOL_ROLES and not school:
        return f"“{Role(role).label}”须指定学校。"
    if role == Role.TOWNSHIP_OFFICER and not township:
        return f"“{Role(role).label}”须指定乡镇。"
    if role in COUNTY_ROLES and (school or township):
        return f"“{Role(role).label}”是全县岗位，不指定学校或乡镇。"
    return ""

"""All models of the ground floor, gathered for Django; each lives with the tool that owns it."""

from bureau.access.models import Account, Assignment, RoleRights, SecondFactor
from bureau.audit.models import AccessLog, AccessLogChild, AuditEvent
from bureau.jobs.models import Job
from bureau.organisation.change_models import SchoolChange
from bureau.organisation.models import (
    County,
    Holiday,
    School,
    SchoolCode,
    SchoolYear,
    Stage,
    Term,
    Township,
    Village,
)
from bureau.states.models import Transition
from bureau.year.models import FrozenFigure, Handover, TermClosing, WorkDate

__all__ = [
    "AccessLog",
    "AccessLogChild",
    "Account",
    "Assignment",
    "AuditEvent",
    "County",
    "FrozenFigure",
    "Handover",
    "Holiday",
    "Job",
    "RoleRights",
    "School",
    "SchoolChange",
    "SchoolCode",
    "SchoolYear",
    "SecondFactor",
    "Stage",
    "Term",
    "TermClosing",
    "Township",
    "Transition",
    "Village",
    "WorkDate",
]

"""All models of the ground floor, gathered for Django; each lives with the tool that owns it."""

from bureau.access.models import Account, Assignment, RoleRights
from bureau.audit.models import AccessLog, AccessLogChild, AuditEvent
from bureau.jobs.models import Job
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

__all__ = [
    "AccessLog",
    "AccessLogChild",
    "Account",
    "Assignment",
    "AuditEvent",
    "County",
    "Holiday",
    "Job",
    "RoleRights",
    "School",
    "SchoolCode",
    "SchoolYear",
    "Stage",
    "Term",
    "Township",
    "Transition",
    "Village",
]

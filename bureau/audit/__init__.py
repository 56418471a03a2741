"""Who did what, and who looked at which child.

audit.record(by=account, verb="dropout.visit_recorded", subject=visit)   # inside the action's transaction
audit.saw(request, page.students)                                        # in every view that shows children
audit.note_look(by=account, view=…, path=…, students=keys)               # in a job that writes them into a file
"""

from bureau.audit.looking import note_look, saw
from bureau.audit.models import AccessLog, AccessLogChild, AuditEvent
from bureau.audit.recording import record
from bureau.audit.sealing import Head, head, seal, verify

__all__ = ["AccessLog", "AccessLogChild", "AuditEvent", "Head", "head", "note_look", "record", "saw", "seal", "verify"]

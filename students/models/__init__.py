"""The nouns of the first floor: people, schooling, hardship, rosters, registers and the differences between them."""

from students.models.absences import Absence
from students.models.aid import AidLine
from students.models.checking import ClassCheck, RollChange, RollCheck
from students.models.collecting import Collection, FilledForm, HeaderMapping, UnlockRequest
from students.models.determining import Determination, Tier
from students.models.differences import Discrepancy
from students.models.exchange import (
    Agency,
    Arrival,
    Delivery,
    DeliveryChunk,
    ExchangeRequest,
    ExchangeToken,
)
from students.models.groups import Group, GroupFact, RelocationSite
from students.models.hardship import Category, Hardship
from students.models.merging import Duplicate, Merge, MergeEffect
from students.models.moving import Movement, MovementPaper
from students.models.papers import FieldLine, FieldSheet
from students.models.people import Guardianship, Headship, Household, Identifier, Membership, Person, Student
from students.models.registers import Entry, FormerHousehold, Link, Register, Sighting, Snapshot, StagedEntry
from students.models.remarks import Attachment, Comment
from students.models.rosters import Bundle, Roster, RosterEffect, RosterRow, RosterSchool
from students.models.schooling import Enrolment, Whereabouts
from students.models.turning import (
    Catchment,
    Leaver,
    Promotion,
    PromotionRow,
    Repeat,
    Schooling,
    YearPlan,
)

__all__ = [
    "Absence",
    "Agency",
    "AidLine",
    "Arrival",
    "Attachment",
    "Bundle",
    "Catchment",
    "Category",
    "ClassCheck",
    "Collection",
    "Comment",
    "Delivery",
    "DeliveryChunk",
    "Determination",
    "Discrepancy",
    "Duplicate",
    "Enrolment",
    "Entry",
    "ExchangeRequest",
    "ExchangeToken",
    "FieldLine",
    "FieldSheet",
    "FilledForm",
    "FormerHousehold",
    "Group",
    "GroupFact",
    "Guardianship",
    "Hardship",
    "HeaderMapping",
    "Headship",
    "Household",
    "Identifier",
    "Leaver",
    "Link",
    "Membership",
    "Merge",
    "MergeEffect",
    "Movement",
    "MovementPaper",
    "Person",
    "Promotion",
    "PromotionRow",
    "Register",
    "RelocationSite",
    "Repeat",
    "RollChange",
    "RollCheck",
    "Roster",
    "RosterEffect",
    "RosterRow",
    "RosterSchool",
    "Schooling",
    "Sighting",
    "Snapshot",
    "StagedEntry",
    "Student",
    "Tier",
    "UnlockRequest",
    "Whereabouts",
    "YearPlan",
]

"""The nouns of the first floor: people, schooling, hardship, rosters, registers and the differences between them."""

from students.models.absences import Absence
from students.models.aid import AidLine
from students.models.checking import ClassCheck, RollChange, RollCheck
from students.models.collecting import Collection, FilledForm, HeaderMapping, UnlockRequest
from students.models.differences import Discrepancy
from students.models.exchange import (
    Agency,
    Arrival,
    Delivery,
    DeliveryChunk,
    ExchangeRequest,
    ExchangeToken,
)
from students.models.hardship import Category, Hardship
from students.models.merging import Duplicate, Merge, MergeEffect
from students.models.people import Guardianship, Headship, Household, Identifier, Membership, Person, Student
from students.models.registers import Entry, FormerHousehold, Link, Register, Sighting, Snapshot, StagedEntry
from students.models.rosters import Bundle, Roster, RosterEffect, RosterRow, RosterSchool
from students.models.schooling import Enrolment, Whereabouts

__all__ = [
    "Absence",
    "Agency",
    "AidLine",
    "Arrival",
    "Bundle",
    "Category",
    "ClassCheck",
    "Collection",
    "Delivery",
    "DeliveryChunk",
    "Discrepancy",
    "Duplicate",
    "Enrolment",
    "Entry",
    "ExchangeRequest",
    "ExchangeToken",
    "FilledForm",
    "FormerHousehold",
    "Guardianship",
    "Hardship",
    "HeaderMapping",
    "Headship",
    "Household",
    "Identifier",
    "Link",
    "Membership",
    "Merge",
    "MergeEffect",
    "Person",
    "Register",
    "RollChange",
    "RollCheck",
    "Roster",
    "RosterEffect",
    "RosterRow",
    "RosterSchool",
    "Sighting",
    "Snapshot",
    "StagedEntry",
    "Student",
    "UnlockRequest",
    "Whereabouts",
]

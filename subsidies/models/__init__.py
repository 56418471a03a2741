"""The nouns of aid: what there is, who gets it, who signed, and where the money comes from."""

from subsidies.models.funds import Appropriation, FundSource, LedgerEntry, LedgerTransaction, TermClosing
from subsidies.models.grants import Grant, GrantClaim, Refusal
from subsidies.models.notices import Objection, PublicNotice
from subsidies.models.programmes import CategoryGroup, Exclusion, Programme, Rate

__all__ = [
    "Appropriation",
    "CategoryGroup",
    "Exclusion",
    "FundSource",
    "Grant",
    "GrantClaim",
    "LedgerEntry",
    "LedgerTransaction",
    "Objection",
    "Programme",
    "PublicNotice",
    "Rate",
    "Refusal",
    "TermClosing",
]

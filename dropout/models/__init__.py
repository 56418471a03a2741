"""The nouns of dropout control: one case per child with its episodes, visits, letters, exemptions, and who must act by when."""

from dropout.models.cases import Case, Episode, Reason, Signal, SignOff, TeamMember, Visit
from dropout.models.deadlines import Deadline, NumberSeries
from dropout.models.papers import Exemption, ReturnOrder

__all__ = [
    "Case",
    "Deadline",
    "Episode",
    "Exemption",
    "NumberSeries",
    "Reason",
    "ReturnOrder",
    "SignOff",
    "Signal",
    "TeamMember",
    "Visit",
]

"""The tables, by subject. Plain SQLAlchemy: nothing here knows the web."""

from pilot.models.advice import AdviceSession, Caseload, DevelopmentPlan, PerformanceStatement
from pilot.models.allocations import Allocation, AllocationNote, StratumState
from pilot.models.answers import Draft, Submission
from pilot.models.attempts import Attempt
from pilot.models.catalogue import Exposure, Offer, Redemption, Voucher
from pilot.models.events import Event
from pilot.models.incentives import GiftCard
from pilot.models.messages import Message
from pilot.models.paper import PaperDecision, PaperEntry
from pilot.models.people import Consent, Identity, Invitee, Participant, Screening, Withdrawal
from pilot.models.pilots import Commitment, Freeze, Look, Pilot, ProtocolVersion, Publication, QuestionnaireDraft
from pilot.models.staff import ROLES, Membership, Organisation, Role, User

__all__ = [
    "ROLES",
    "AdviceSession",
    "Allocation",
    "AllocationNote",
    "Attempt",
    "Caseload",
    "Commitment",
    "Consent",
    "DevelopmentPlan",
    "Draft",
    "Event",
    "Exposure",
    "Freeze",
    "GiftCard",
    "Identity",
    "Invitee",
    "Look",
    "Membership",
    "Message",
    "Offer",
    "Organisation",
    "PaperDecision",
    "PaperEntry",
    "Participant",
    "PerformanceStatement",
    "Pilot",
    "ProtocolVersion",
    "Publication",
    "QuestionnaireDraft",
    "Redemption",
    "Role",
    "Screening",
    "StratumState",
    "Submission",
    "User",
    "Voucher",
    "Withdrawal",
]

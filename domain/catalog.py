"""All nouns of the domain, and all commands: the registry that store and edge are built from."""

from domain.area import Area
from domain.base import Aggregate
from domain.casualty_record import CasualtyRecord
from domain.consignment import Consignment
from domain.disaster import Disaster
from domain.dispensation import Dispensation
from domain.fund import Fund
from domain.house_damage import HouseDamage
from domain.household import Household
from domain.incident import Incident
from domain.late_number import LateNumber
from domain.login_name import LoginName
from domain.officer import Officer
from domain.parked_facts import ParkedFacts
from domain.person import Person
from domain.post_proposal import PostProposal
from domain.provider_identity import ProviderIdentity
from domain.relief_case import ReliefCase
from domain.rulebook import Rulebook
from domain.season import Season
from domain.situation_report import SituationReport
from domain.stockpile import Stockpile
from domain.store import Store
from domain.unit import Unit
from domain.village_list import VillageList

AGGREGATES: tuple[type[Aggregate], ...] = (
    Area,
    Rulebook,
    Officer,
    LoginName,
    LateNumber,
    ProviderIdentity,
    Dispensation,
    PostProposal,
    Disaster,
    SituationReport,
    CasualtyRecord,
    HouseDamage,
    Incident,
    Unit,
    Stockpile,
    Consignment,
    Fund,
    Household,
    Person,
    Season,
    VillageList,
    ReliefCase,
    ParkedFacts,
    Store,
)

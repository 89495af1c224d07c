"""The program that most would write instead: FastAPI and SQLAlchemy, rows that are changed.

The same three commands with the same bodies, validated by pydantic, authorized by log-in, role and
area, one transaction each. A connection for each of the threads that FastAPI runs: on the
library's default pool of 5 + 10 they lock each other out for 30 s. It keeps no history, no answers
for repeated commands, and no totals of past days.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from bench.server_child import Incident as IncidentIn
from bench.server_child import Silent

THREADS = 40


class Base(DeclarativeBase):
    pass


class Area(Base):
    __tablename__ = "areas"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    county: Mapped[UUID] = mapped_column(index=True)


class Officer(Base):
    __tablename__ = "officers"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    role: Mapped[str]
    county: Mapped[UUID]
    token_sha256: Mapped[str] = mapped_column(unique=True)


class Incident(Base):
    __tablename__ = "incidents"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    area: Mapped[UUID] = mapped_column(ForeignKey("areas.id"), index=True)
    place: Mapped[str]
    kind: Mapped[str]
    severity: Mapped[str]
    occurred_at: Mapped[datetime]
    details: Mapped[str]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    reporter_phone: Mapped[str]
    exercise: Mapped[bool]
    state: Mapped[str]
    priority: Mapped[int | None]
    note: Mapped[str] = mapped_column(default="")
    opened_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    changed_by: Mapped[UUID]


class Triage(BaseModel):
    model_config = ConfigDict(extra="forbid")
    priority: int
    note: str = ""


class Closure(BaseModel):
    model_config = ConfigDict(extra="forbid")
    reason: str


def engine_of(url: str) -> Any:
    there = url.replace("postgresql://", "postgresql+psycopg://")
    return create_engine(there, pool_size=THREADS)


def make(url: str, areas: list[UUID], county: UUID, officer: UUID, token: str) -> None:
    """The tables, a county's areas and a dispatcher."""
    engine = engine_of(url)
    Base.metadata.create_all(engine)
    with Session(engine) as db:
        db.add_all([Area(id=area, county=county) for area in areas])
        digest = sha256(token.encode()).hexdigest()
        db.add(Officer(id=officer, role="dispatcher", county=county, token_sha256=digest))
        db.commit()
    engine.dispose()


def app(url: str) -> FastAPI:
    made = FastAPI(docs_url=None, redoc_url=None)
    made.state.hub = Silent()
    sessions = sessionmaker(engine_of(url))

    def session() -> Iterator[Session]:
        with sessions() as db:
            yield db

    Db = Annotated[Session, Depends(session)]

    def dispatcher(db: Db, authorization: Annotated[str, Header()]) -> Officer:
        digest = sha256(authorization.removeprefix("Bearer ").encode()).hexdigest()
        found = db.scalar(select(Officer).where(Officer.token_sha256 == digest))
        if found is None:
            raise HTTPException(401)
        if found.role != "dispatcher":
            raise HTTPException(403)
        return found

    By = Annotated[Officer, Depends(dispatcher)]

    def own(db: Session, id: UUID, by: Officer) -> Incident:
        """The incident, locked, if it is in the officer's county."""
        where = (Incident.id == id, Area.county == by.county)
        found = db.scalar(select(Incident).join(Area).where(*where).with_for_update(of=Incident))
        if found is None:
            raise HTTPException(404)
        return found

    def saved(db: Session, incident: Incident, by: Officer) -> dict[str, str]:
        incident.changed_at, incident.changed_by = datetime.now(UTC), by.id
        db.add(incident)
        db.commit()
        return {"status": "ok"}

    @made.post("/v1/incidents")
    def open_incident(body: IncidentIn, db: Db, by: By) -> dict[str, str]:
        area = db.get(Area, body.area)
        if area is None or area.county != by.county:
            raise HTTPException(404)
        now = datetime.now(UTC)
        if body.occurred_at > now:
            raise HTTPException(422)
        values = body.model_dump(exclude={"incident"})
        return saved(db, Incident(id=body.incident, state="open", opened_at=now, **values), by)

    @made.post("/v1/incidents/{incident}/triages")
    def triage(incident: UUID, body: Triage, db: Db, by: By) -> dict[str, str]:
        found = own(db, incident, by)
        if found.state != "open" or not 1 <= body.priority <= 4:
            raise HTTPException(409)
        found.priority, found.note, found.state = body.priority, body.note, "triaged"
        return saved(db, found, by)

    @made.post("/v1/incidents/{incident}/closures")
    def close(incident: UUID, body: Closure, db: Db, by: By) -> dict[str, str]:
        found = own(db, incident, by)
        if found.state == "closed":
            raise HTTPException(409)
        found.note, found.state = body.reason, "closed"
        return saved(db, found, by)

    return made

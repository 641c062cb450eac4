"""The model without one of its parts, as another table or another prior set, to see what each part earns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sim.calibration.hindcasts import Hindcast
from sim.calibration.record import Record
from sim.case.case import Case
from sim.case.families import JointPrior, Prior
from sim.case.priors import PriorSet


def change_cases(record: Record, change: Callable[[Case], Case], name: str) -> Record:
    """Return the record with every case changed; the hash says so."""
    hindcasts = tuple(replace(item, case=change(item.case)) for item in record.hindcasts)
    return replace(record, hindcasts=hindcasts, sha256=f"{record.sha256} {name}")


def change_claims(case: Case, **fields) -> Case:
    """Return the case with fields of its claims changed, each by a function of the claim."""
    claims = [claim.model_copy(update={name: value(claim) for name, value in fields.items()}) for claim in case.claims]
    return Case(name=case.name, folder=case.folder, file=case.file, claims=tuple(claims))


def drop_time(record: Record) -> Record:
    """Everything was lost on the last day, and every claim speaks of it."""

    def change(hindcast: Hindcast) -> Hindcast:
        end = max(truth.day for truth in hindcast.truths)
        case = change_claims(hindcast.case, as_of=lambda _: end, since=lambda _: None, measure=_cumulative)
        forces = {
            key: force.model_copy(
                update={"waves": tuple(wave.model_copy(update={"start": end, "end": end}) for wave in force.waves)}
            )
            for key, force in case.file.forces.items()
        }
        case = Case(
            name=case.name,
            folder=case.folder,
            file=case.file.model_copy(update={"start": end, "end": end, "forces": forces}),
            claims=tuple(claim.model_copy(update={"published": max(claim.published, end)}) for claim in case.claims),
        )
        truths = tuple(truth.model_copy(update={"start": end, "end": end, "as_of": end}) for truth in hindcast.truths)
        return Hindcast(case, hindcast.war, truths)

    return replace(record, hindcasts=tuple(map(change, record.hindcasts)), sha256=f"{record.sha256} no time")


def _cumulative(claim):
    return "stock" if claim.measure == "stock" else "cumulative"


def drop_wording(*wordings: str) -> Callable[[Record], Record]:
    """Read numbers said with these wordings as the number itself."""
    return lambda record: change_cases(
        record,
        lambda case: change_claims(case, qualifier=lambda c: "about" if c.qualifier in wordings else c.qualifier),
        f"no {' '.join(wordings)}",
    )


def drop_rounding(record: Record) -> Record:
    """Read every number as exact to the last digit."""
    return change_cases(
        record,
        lambda case: change_claims(
            case,
            log_sd=lambda c: 1e-6 if c.qualifier in ("exact", "about") and c.value and c.log_sd is None else c.log_sd,
        ),
        "no rounding",
    )


def drop_echoes(record: Record) -> Record:
    """Count every repetition, and every figure that was corrected, as news."""
    return change_cases(
        record, lambda case: change_claims(case, origin=lambda _: "", replaces=lambda _: ""), "no echoes"
    )


def drop_roles(record: Record) -> Record:
    """Whoever speaks is of one and the same role."""

    def change(case: Case) -> Case:
        sources = {
            key: source.model_copy(update={"role": ("independent",)}) for key, source in case.file.sources.items()
        }
        file = case.file.model_copy(update={"sources": sources})
        return Case(name=case.name, folder=case.folder, file=file, claims=case.claims)

    return change_cases(record, change, "no roles")


def fix_key(base: PriorSet, key: str, mu: float, sigma: float = 0.05) -> PriorSet:
    """Return the set with a learned key held where it does nothing."""
    joint = base.joint
    place = joint.keys.index(key)
    mean = tuple(mu if k == place else value for k, value in enumerate(joint.mean))
    covariance = tuple(
        tuple((sigma**2 if i == j else 0.0) if place in (i, j) else value for j, value in enumerate(row))
        for i, row in enumerate(joint.covariance)
    )
    prior = Prior(dist=base.priors[key].dist, mu=mu, sigma=sigma)
    return replace(
        base,
        name=f"{base.name} without {key}",
        priors={**base.priors, key: prior},
        joint=JointPrior(keys=joint.keys, mean=mean, covariance=covariance),
    )


RECORDS = {
    "the model": lambda record: record,
    "without time": drop_time,
    "without wording": drop_wording("at_least", "at_most", "counted"),
    "without at least": drop_wording("at_least"),
    "without at most": drop_wording("at_most"),
    "without counted": drop_wording("counted"),
    "without rounding": drop_rounding,
    "without echoes and revisions": drop_echoes,
    "without roles": drop_roles,
}
PRIORS = {
    "without effects of quantity": ("scale.source_outcome", -6.0),
    "without outlying sources": ("outlier.source", -9.0),
}

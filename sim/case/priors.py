"""Prior sets: TOML files of named distributions, each with its source and rationale."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from sim.errors import Fault, InputError, describe_error, quote_value, refuse
from sim.system.reading import is_file, read_toml

Family = Literal[
    "Normal",
    "LogNormal",
    "HalfNormal",
    "HalfCauchy",
    "Beta",
    "Uniform",
    "Exponential",
    "Gamma",
    "StudentT",
    "LogitNormal",
]

# The arguments of each family, named as in PyMC.
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "Normal": ("mu", "sigma"),
    "LogNormal": ("mu", "sigma"),
    "HalfNormal": ("sigma",),
    "HalfCauchy": ("beta",),
    "Beta": ("alpha", "beta"),
    "Uniform": ("lower", "upper"),
    "Exponential": ("lam",),
    "Gamma": ("alpha", "beta"),
    "StudentT": ("nu", "mu", "sigma"),
    "LogitNormal": ("mu", "sigma"),
}
# The families of a joint prior: each is normal on a scale of its own, and this leads back from it.
LINKS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "Normal": lambda x: x,
    "LogNormal": np.exp,
    "LogitNormal": lambda x: 1 / (1 + np.exp(-x)),
}
LARGEST = 1e15  # of an argument
# Of a key of the model, whose scale is a logarithm, a share or a standard deviation of these: beyond, draws overflow.
LARGEST_PLACE, LARGEST_WIDTH = 100.0, 100.0
LEAST = 1e-6  # of what must be above zero
_UNSIGNED = {"sigma", "beta", "alpha", "lam", "nu"}

# What a key may take as a value: the families that stay inside it.
_POSITIVE = {"LogNormal", "HalfNormal", "HalfCauchy", "Exponential", "Gamma", "Uniform", "Beta", "LogitNormal"}
_REAL = {"Normal", "StudentT", "Uniform"}
_UNIT = {"Beta", "Uniform", "LogitNormal"}
DOMAINS: dict[str, tuple[set[str], float, float]] = {
    "total": (_REAL, -np.inf, np.inf),
    "share": (_REAL, -np.inf, np.inf),
    "wounded_per_killed": (_REAL, -np.inf, np.inf),
    "captured_share": (_UNIT, 0, 1),
    "missing_share": (_UNIT, 0, 1),
    "role": (_REAL, -np.inf, np.inf),
    "scale": (_POSITIVE, 0, np.inf),
    "noise": (_POSITIVE, 0, np.inf),
    "outlier": (_POSITIVE, 0, np.inf),
    "wording": (_POSITIVE, 0, np.inf),
    "path": (_POSITIVE | _REAL, -np.inf, np.inf),
    "lull": (_POSITIVE, 0, np.inf),
}
KINDS = ("losses", "captured", "deployed")
_ROLE = "(own|ally_of_own|adversary|ally_of_adversary|independent)"
_KEYS = re.compile(
    rf"(total|share)\.[a-z][a-z0-9_]*|role\.{_ROLE}\.({'|'.join(KINDS)})|noise\.({_ROLE}|share)|path\.(step|tilt)|lull"
    r"|scale\.(role_in_war|source|source_outcome)|outlier\.(probability|factor|source)|wording\.(at_least|at_most|counted)"
    r"|wounded_per_killed|captured_share|missing_share"
)


Argument = Annotated[float, Field(ge=-LARGEST, le=LARGEST, allow_inf_nan=False)]


class Prior(BaseModel):
    """A prior distribution, or a fixed number, with where it comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dist: Family | None = None
    fixed: Argument | None = None
    mu: Argument | None = None
    sigma: Argument | None = None
    alpha: Argument | None = None
    beta: Argument | None = None
    lower: Argument | None = None
    upper: Argument | None = None
    lam: Argument | None = None
    nu: Argument | None = None
    source: str = ""
    url: str = ""
    why: str = ""

    @model_validator(mode="after")
    def _check_arguments(self) -> Self:
        if (self.dist is None) == (self.fixed is None):
            raise PydanticCustomError("prior", "has neither or both of dist and fixed; give one of them")
        wanted = ARGUMENTS[self.dist] if self.dist else ()
        for name in sorted({argument for names in ARGUMENTS.values() for argument in names}):
            value = getattr(self, name)
            if (value is None) == (name in wanted):
                verb = "lacks" if value is None else "has a superfluous"
                remedy = f"{self.dist} takes {', '.join(wanted)}" if self.dist else "a fixed value takes none"
                raise PydanticCustomError("prior", f"{verb} argument {name}; {remedy}")
            if value is not None and name in _UNSIGNED and value < LEAST:
                raise PydanticCustomError("prior", f"has {name} = {value:g}; it must be above zero, from {LEAST:g} on")
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            raise PydanticCustomError("prior", "has lower not below upper; swap them")
        return self

    @property
    def arguments(self) -> dict[str, float]:
        """The arguments by PyMC's names."""
        return {name: float(getattr(self, name)) for name in ARGUMENTS[self.dist]} if self.dist else {}

    def __str__(self) -> str:
        """Return it as it would be written: Normal(mu=0, sigma=1), or the fixed number."""
        if self.fixed is not None:
            return f"{self.fixed:g}"
        return f"{self.dist}({', '.join(f'{name}={value:.4g}' for name, value in self.arguments.items())})"

    def sample(self, rng: np.random.Generator, size: int | tuple[int, ...]) -> NDArray[np.float64]:
        """Draw from the prior; a fixed number is repeated.

        Parameters
        ----------
        rng : numpy.random.Generator
        size : int or tuple of int
            The shape of the result.
        """
        if self.fixed is not None:
            return np.full(size, self.fixed)
        return np.asarray(_SAMPLERS[str(self.dist)](rng, size, **self.arguments), dtype=float)


_SAMPLERS: dict[str, Any] = {
    "Normal": lambda rng, size, mu, sigma: rng.normal(mu, sigma, size),
    "LogNormal": lambda rng, size, mu, sigma: rng.lognormal(mu, sigma, size),
    "HalfNormal": lambda rng, size, sigma: np.abs(rng.normal(0, sigma, size)),
    "HalfCauchy": lambda rng, size, beta: np.abs(beta * rng.standard_cauchy(size)),
    "Beta": lambda rng, size, alpha, beta: rng.beta(alpha, beta, size),
    "Uniform": lambda rng, size, lower, upper: rng.uniform(lower, upper, size),
    "Exponential": lambda rng, size, lam: rng.exponential(1 / lam, size),
    "Gamma": lambda rng, size, alpha, beta: rng.gamma(alpha, 1 / beta, size),
    "StudentT": lambda rng, size, nu, mu, sigma: mu + sigma * rng.standard_t(nu, size),
    "LogitNormal": lambda rng, size, mu, sigma: LINKS["LogitNormal"](rng.normal(mu, sigma, size)),
}


class JointPrior(BaseModel):
    """Keys that are jointly normal, each on the scale of `LINKS`: what a fit to the track record knows of all at once.

    Beside it each key has a prior of its own, with the same mean and standard deviation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    keys: tuple[str, ...]
    mean: tuple[Annotated[float, Field(allow_inf_nan=False)], ...]
    covariance: tuple[tuple[Annotated[float, Field(allow_inf_nan=False)], ...], ...]

    @model_validator(mode="after")
    def _check_shape(self) -> Self:
        size = len(self.keys)
        if len(set(self.keys)) < size:
            raise PydanticCustomError("joint", "names a key twice; keep one")
        if len(self.mean) != size or len(self.covariance) != size or any(len(row) != size for row in self.covariance):
            raise PydanticCustomError("joint", f"has {size} keys and another size; give each a mean and a row")
        matrix = np.array(self.covariance).reshape(size, size)
        if not np.allclose(matrix, matrix.T, rtol=1e-6) or (size and np.linalg.eigvalsh(matrix).min() <= 0):
            raise PydanticCustomError(
                "joint", "has a covariance that is not symmetric positive definite; fit the set again"
            )
        return self

    def select(self, keys: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the mean and the covariance of some of the keys, in the order asked for."""
        places = [self.keys.index(key) for key in keys]
        return np.array(self.mean)[places], np.array(self.covariance)[np.ix_(places, places)]

    def without(self, keys: Iterable[str]) -> JointPrior | None:
        """Return the joint prior of the other keys; None where there are none."""
        kept = [key for key in self.keys if key not in set(keys)]
        if not kept:
            return None
        mean, covariance = self.select(kept)
        return JointPrior(keys=tuple(kept), mean=tuple(mean), covariance=tuple(map(tuple, covariance)))


@dataclass(frozen=True)
class PriorSet:
    """A prior set.

    Attributes
    ----------
    name, note : str
        As written in the file.
    priors : dict of str to Prior
        By key (see `docs/formats.md`), those taken from the default set included.
    provisional : bool
        True where the set says that its numbers have not been learned from the track record with this likelihood.
    borrowed : tuple of str
        The keys that the set does not give and that were taken from the default set.
    sha256 : str
        Of the file.
    """

    name: str
    note: str
    priors: Mapping[str, Prior]
    provisional: bool = False
    borrowed: tuple[str, ...] = ()
    path: Path | None = None
    sha256: str = ""
    overrides: tuple[str, ...] = field(default=())
    joint: JointPrior | None = None
    learned_from: Mapping[str, str] = field(default_factory=dict)

    def get(self, *keys: str) -> Prior:
        """Return the prior of the first key that the set has."""
        for key in keys:
            if key in self.priors:
                return self.priors[key]
        raise refuse(self.name, keys[0], "is not in the prior set", "add it")


def find_shipped_priors() -> Path:
    """Return the folder of the shipped prior sets and of the track record."""
    inside = Path(str(files("sim"))) / "shipped_priors"
    return inside if inside.is_dir() else Path(str(files("sim"))).parent / "priors"


def list_prior_sets(shelf: Path | None = None) -> list[str]:
    """Return the names of the prior sets on a shelf, by default the shipped ones."""
    return sorted(path.stem for path in (shelf or find_shipped_priors()).glob("*.toml"))


def read_priors(
    name: str, beside: Path | None = None, overrides: Mapping[str, Any] | None = None, shelf: Path | None = None
) -> PriorSet:
    """Read a prior set.

    Parameters
    ----------
    name : str
        A shipped set's name, or a path (with a slash, or ending in .toml), relative to `beside` where that is given.
    beside : Path, optional
        The folder of the case.
    overrides : mapping, optional
        Single keys that replace those of the set (`[priors]` in case.toml).
    shelf : Path, optional
        The folder of named sets in place of the shipped ones.

    Returns
    -------
    PriorSet
        A key that the set leaves out is taken from the default set, and named in `borrowed`.
    """
    path = _find_prior_set(name, beside, shelf or find_shipped_priors())
    data, text = read_toml(path)
    if data.pop("schema", None) != 1:
        raise refuse(path.name, "schema", "is not 1", "write schema = 1, or use a version of truetoll that reads it")
    head = {key: data.pop(key, "") for key in ("name", "note", "learned_from", "provisional")}
    table = data.pop("joint", None)
    own = _parse_priors(data, path.name)
    changed = _parse_priors(dict(overrides or {}), "case.toml, priors")
    default = None if name == "default" else read_priors("default", shelf=shelf)
    base = dict(default.priors) if default else {}
    joint = _parse_joint(table, own, path.name) if table is not None else None
    if default and default.joint:
        # What is borrowed is borrowed with what the default set knows of it, but not beside a joint prior of its own.
        joint = joint or default.joint.without(own)
    return PriorSet(
        name=str(head["name"] or path.stem),
        note=str(head["note"]),
        priors={**base, **own, **changed},
        provisional=bool(head["provisional"]),
        borrowed=tuple(sorted(set(base) - set(own) - set(changed))),
        path=path,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        overrides=tuple(changed),
        joint=joint.without(changed) if joint else None,
        learned_from=_parse_origin(head["learned_from"], path.name),
    )


def _find_prior_set(name: str, beside: Path | None, shelf: Path) -> Path:
    if "/" in name or "\\" in name or name.endswith(".toml"):
        for folder in [beside, Path()] if beside else [Path()]:
            if is_file(folder / name):
                return folder / name
        raise refuse(name, "", "is missing", "give the path of a prior set beside case.toml")
    path = shelf / f"{name}.toml"
    if name not in list_prior_sets(shelf):
        known = ", ".join(list_prior_sets(shelf))
        raise refuse("prior", "", f"no prior set is called {quote_value(name)}", f"use one of {known}, or a path")
    return path


def _parse_priors(data: dict[str, Any], file: str) -> dict[str, Prior]:
    """Flatten nested tables to dotted keys and check each prior."""
    faults: list[Fault] = []
    priors: dict[str, Prior] = {}
    for key, table in _flatten(data, file):
        try:
            prior = Prior.model_validate(table)
        except ValidationError as error:
            faults += [describe_error({**item, "input": key}, file, f"{key} ") for item in error.errors()]
            continue
        problem = _check_domain(key, prior)
        if problem:
            faults.append(Fault(file, key, *problem))
        priors[key] = prior
    if faults:
        raise InputError(faults)
    return priors


def _parse_origin(table: Any, file: str) -> dict[str, str]:
    if table == "":
        return {}
    if not isinstance(table, dict) or set(table) != {"path", "sha256"} or not all(map(str, table.values())):
        raise refuse(file, "learned_from", "is not a path with its sha256", "write { path = ..., sha256 = ... }")
    return {name: str(value) for name, value in table.items()}


_JOINT_KEYS = re.compile(
    rf"role\.{_ROLE}\.({'|'.join(KINDS)})|noise\.({_ROLE}|share)|path\.step|scale\..*|outlier\..*|wording\..*"
)


def _parse_joint(table: Any, own: Mapping[str, Prior], file: str) -> JointPrior:
    """Check the joint prior of a set, and that its margins are the priors beside it."""
    try:
        joint = JointPrior.model_validate(table)
    except ValidationError as error:
        raise InputError(describe_error({**item, "input": "it"}, file, "joint ") for item in error.errors()) from None
    faults = []
    for key, mean, row in zip(joint.keys, joint.mean, joint.covariance, strict=True):
        prior = own.get(key)
        if not _JOINT_KEYS.fullmatch(key):
            faults.append(Fault(file, "joint", f"{quote_value(key)} cannot be in it", "keep to keys that forces share"))
        elif prior is None or prior.dist not in LINKS:
            faults.append(
                Fault(file, key, f"is in joint and not {', '.join(LINKS)}", "give its margin as one of these")
            )
        else:
            sigma = float(np.sqrt(row[joint.keys.index(key)]))
            if not np.allclose(list(prior.arguments.values()), [mean, sigma], rtol=1e-3, atol=1e-4):
                problem = f"{prior} is not its margin in joint, mu={mean:.4g}, sigma={sigma:.4g}"
                faults.append(Fault(file, key, problem, "fit the set again, or mend one of them"))
    if faults:
        raise InputError(faults)
    return joint


def _flatten(data: dict[str, Any], file: str, prefix: str = "") -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    for name, value in data.items():
        key = f"{prefix}{name}"
        if not isinstance(value, dict) or key.count(".") > 4:
            raise refuse(file, key, "is not a prior", 'write a table such as { dist = "Normal", mu = 0, sigma = 1 }')
        if {"dist", "fixed"} & {k for k, v in value.items() if not isinstance(v, dict)}:
            found.append((key, value))
        else:
            found += _flatten(value, file, f"{key}.")
    return found


def _check_domain(key: str, prior: Prior) -> tuple[str, str] | None:
    head = key.partition(".")[0]
    if not _KEYS.fullmatch(key):
        return f"{quote_value(key)} is not a known key", "see docs/formats.md for the keys"
    families, low, high = DOMAINS[head]
    if key == "path.tilt":
        families = _REAL
    elif key == "path.step":
        families, low = _POSITIVE, 0
    elif key in ("outlier.probability", "outlier.source"):
        families, high = _UNIT, 1
    if prior.dist and prior.dist not in families:
        return f"{prior.dist} does not fit it", f"use {', '.join(sorted(families))}"
    numbers = [number for number in (prior.fixed, prior.lower, prior.upper) if number is not None]
    if any(not low <= number <= high for number in numbers):
        return f"{prior} leaves its range", f"keep it within {low:g} and {high:g}"
    if _is_out_of_proportion(prior):
        remedy = f"keep it within {LARGEST_PLACE:g}, and as wide as {LARGEST_WIDTH:g} at most: it is on a log scale"
        return f"{prior} is out of all proportion", remedy
    return None


def _is_out_of_proportion(prior: Prior) -> bool:
    places = [number for number in (prior.fixed, prior.mu, prior.lower, prior.upper) if number is not None]
    widths = [prior.sigma or 0.0, (prior.beta or 0.0) if prior.dist == "HalfCauchy" else 0.0, 1 / (prior.lam or 1.0)]
    if prior.dist == "LogNormal":
        widths.append(abs(prior.mu or 0.0))
    return max(map(abs, places), default=0.0) > LARGEST_PLACE or max(widths) > LARGEST_WIDTH

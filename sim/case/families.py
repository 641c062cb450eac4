"""Families of priors, one record each, and a prior of one of them.

A new family is an entry of `FAMILIES`, and a branch of `constrain` and `prior_density` in `sim.model.density`: the
machine code knows a family by its number alone. PyMC must have a law of that name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from sim.errors import take_name

LARGEST = 1e15  # of an argument
LEAST = 1e-6  # of what must be above zero

Arguments = Mapping[str, float]
Floats = NDArray[np.float64]


def _follow(name: str, *arguments: float, **named: float) -> Any:
    from scipy import stats

    return getattr(stats, name)(*arguments, **named)


@dataclass(frozen=True)
class Family:
    """A family of priors.

    Attributes
    ----------
    name : str
        As in PyMC.
    arguments : tuple of str
        Named as in PyMC, in the order that the machine code has them in; fields of `Prior`.
    support : {"real", "positive", "unit", "interval"}
        What it may take as a value; from this follows the scale without bounds that the sampler moves on: the value
        itself, its log, its logit, or the logit of where it lies between `lower` and `upper`.
    draw : callable
        From a random generator, a size and the arguments to draws.
    law : callable
        From the arguments to the law of scipy: of the value, or where it is `normal` of that without bounds.
    normal : bool
        Whether it is normal on that scale: then it may be in a joint prior.
    spread : callable
        From the arguments to how wide it is.
    transform : str
        PyMC's name of the change of scale, where PyMC has none by default.
    """

    name: str
    arguments: tuple[str, ...]
    support: Literal["real", "positive", "unit", "interval"]
    draw: Callable[..., Any]
    law: Callable[[Arguments], Any]
    normal: bool = False
    spread: Callable[[Arguments], float] = lambda a: a.get("sigma", 0.0)
    transform: str = ""

    def constrain(self, xp: Any, values: Any, lower: float = 0.0, upper: float = 1.0) -> Any:
        """Return values from those on the scale without bounds; `xp` is numpy, or another namespace with its `exp`."""
        if self.support == "real":
            return values
        if self.support == "positive":
            return xp.exp(values)
        return lower + (upper - lower) / (1 + xp.exp(-values))

    def unconstrain(self, values: Floats) -> Floats:
        """Return on the scale without bounds the values of a family that is not an interval."""
        if self.support == "real":
            return values
        return np.asarray(np.log(values) if self.support == "positive" else np.log(values / (1 - values)))


def _draw_logit_normal(rng: np.random.Generator, size: Any, mu: float, sigma: float) -> Any:
    return 1 / (1 + np.exp(-rng.normal(mu, sigma, size)))


def _is_normal(a: Arguments) -> Any:
    return _follow("norm", a["mu"], a["sigma"])


_ALL = (
    Family(
        "Normal", ("mu", "sigma"), "real",
        lambda rng, size, mu, sigma: rng.normal(mu, sigma, size), _is_normal, normal=True,
    ),
    Family(
        "LogNormal", ("mu", "sigma"), "positive",
        lambda rng, size, mu, sigma: rng.lognormal(mu, sigma, size), _is_normal, normal=True,
    ),
    Family(
        "HalfNormal", ("sigma",), "positive",
        lambda rng, size, sigma: np.abs(rng.normal(0, sigma, size)), lambda a: _follow("halfnorm", scale=a["sigma"]),
    ),
    Family(
        "HalfCauchy", ("beta",), "positive",
        lambda rng, size, beta: np.abs(beta * rng.standard_cauchy(size)),
        lambda a: _follow("halfcauchy", scale=a["beta"]), spread=lambda a: a["beta"],
    ),
    Family(
        "Beta", ("alpha", "beta"), "unit",
        lambda rng, size, alpha, beta: rng.beta(alpha, beta, size), lambda a: _follow("beta", a["alpha"], a["beta"]),
    ),
    Family(
        "Uniform", ("lower", "upper"), "interval",
        lambda rng, size, lower, upper: rng.uniform(lower, upper, size),
        lambda a: _follow("uniform", a["lower"], a["upper"] - a["lower"]),
    ),
    Family(
        "Exponential", ("lam",), "positive",
        lambda rng, size, lam: rng.exponential(1 / lam, size),
        lambda a: _follow("expon", scale=1 / a["lam"]), spread=lambda a: 1 / a["lam"],
    ),
    Family(
        "Gamma", ("alpha", "beta"), "positive",
        lambda rng, size, alpha, beta: rng.gamma(alpha, 1 / beta, size),
        lambda a: _follow("gamma", a["alpha"], scale=1 / a["beta"]),
    ),
    Family(
        "StudentT", ("nu", "mu", "sigma"), "real",
        lambda rng, size, nu, mu, sigma: mu + sigma * rng.standard_t(nu, size),
        lambda a: _follow("t", a["nu"], a["mu"], a["sigma"]),
    ),
    Family(
        "LogitNormal", ("mu", "sigma"), "unit", _draw_logit_normal, _is_normal, normal=True, transform="logodds",
    ),
)  # fmt: skip
FAMILIES: dict[str, Family] = {family.name: family for family in _ALL}
_ABOVE_ZERO = {"sigma", "beta", "alpha", "lam", "nu"}

FamilyName = Annotated[str, BeforeValidator(take_name(FAMILIES))]
Argument = Annotated[float, Field(ge=-LARGEST, le=LARGEST, allow_inf_nan=False)]


class Prior(BaseModel):
    """A prior distribution, or a fixed number, with where it comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dist: FamilyName | None = None
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
        wanted = FAMILIES[self.dist].arguments if self.dist else ()
        for name in sorted({argument for family in FAMILIES.values() for argument in family.arguments}):
            value = getattr(self, name)
            if (value is None) == (name in wanted):
                verb = "lacks" if value is None else "has a superfluous"
                remedy = f"{self.dist} takes {', '.join(wanted)}" if self.dist else "a fixed value takes none"
                raise PydanticCustomError("prior", f"{verb} argument {name}; {remedy}")
            if value is not None and name in _ABOVE_ZERO and value < LEAST:
                raise PydanticCustomError("prior", f"has {name} = {value:g}; it must be above zero, from {LEAST:g} on")
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            raise PydanticCustomError("prior", "has lower not below upper; swap them")
        return self

    @property
    def family(self) -> Family | None:
        """Its family; None where it is fixed."""
        return FAMILIES[self.dist] if self.dist else None

    @property
    def arguments(self) -> dict[str, float]:
        """The arguments by PyMC's names, in the family's order."""
        return {name: float(getattr(self, name)) for name in self.family.arguments} if self.family else {}

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
        if self.family is None:
            return np.full(size, self.fixed)
        return np.asarray(self.family.draw(rng, size, **self.arguments), dtype=float)

    def constrain(self, values: Floats) -> Floats:
        """Return values from those on the scale without bounds; those of a fixed number are itself."""
        if self.family is None:
            return np.full_like(values, self.fixed)
        upper = 1.0 if self.upper is None else self.upper
        return np.asarray(self.family.constrain(np, values, self.lower or 0.0, upper))

    def log_density(self, values: Floats) -> Floats:
        """Return the log density, on the scale without bounds where it is normal there; of a fixed number zero."""
        if self.family is None:
            return np.zeros_like(values)
        law = self.family.law(self.arguments)
        return np.asarray(law.logpdf(self.family.unconstrain(values) if self.family.normal else values))


class JointPrior(BaseModel):
    """Keys that are jointly normal, each on its scale without bounds: what a fit to the record knows of all at once.

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
        chosen = [self.keys.index(key) for key in keys]
        return np.array(self.mean)[chosen], np.array(self.covariance)[np.ix_(chosen, chosen)]

    def without(self, keys: Iterable[str]) -> JointPrior | None:
        """Return the joint prior of the other keys; None where there are none."""
        kept = [key for key in self.keys if key not in set(keys)]
        if not kept:
            return None
        mean, covariance = self.select(kept)
        return JointPrior(keys=tuple(kept), mean=tuple(mean), covariance=tuple(map(tuple, covariance)))

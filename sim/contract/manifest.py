"""What `manifest.json` holds: what a run was made from and by, so that it can be made again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from sim.contract.values import SCHEMA, Day, Few, Seconds, Texts, Whole

Draws = Annotated[int, Field(strict=True, ge=100, le=1_000_000)]
Words = Annotated[dict[str, str], Few]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What was asked for besides the case and the seed; None is the default."""

    prior: str | None
    as_of: Day | None
    known_by: Day | None
    draws: Draws | None
    sampler: Literal["kernel", "nutpie", "pymc"] = "kernel"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The contents of `manifest.json`.

    `inputs` and `outputs` are sha256 by file; `versions` by library, of those that took part.
    """

    schema: Literal[1] = SCHEMA
    case: str
    seed: Whole
    settings: Settings
    command: Texts
    as_of: Day
    hidden_claims: Texts
    inputs: Words
    versions: Words
    platform: str
    written: str
    seconds: Seconds
    outputs: Words = field(default_factory=dict)

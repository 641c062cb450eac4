"""Small cases on each of which one planted fault of the model shows."""

from __future__ import annotations

HEAD = """
schema = 1
start = 2024-01-01
end = 2024-01-01
[forces.x]
outcomes = ["killed"]
"""
PRIORS = """
[priors]
"total.killed" = { dist = "Normal", mu = 6.9, sigma = 1.0 }
"role.independent.losses" = { fixed = BIAS }
"scale.role_in_war" = { fixed = 0 }
"scale.source" = SCALE
"scale.source_outcome" = { fixed = 0 }
"noise.independent" = { fixed = NOISE }
"noise.adversary" = { fixed = NOISE }
"role.adversary.losses" = { dist = "Normal", mu = 1.5, sigma = 0.3 }
"outlier.probability" = { fixed = 0 }
"outlier.source" = { fixed = 0 }
"wording.at_least" = { fixed = 0.4 }
"wording.at_most" = { fixed = 0.4 }
"wording.counted" = { fixed = 0.7 }
"""


def toml_of(count, scale="{ fixed = 0 }", noise=0.05, role="independent"):
    sources = "".join(f'[sources.s{n}]\nrole = "{role}"\n' for n in range(count))
    return HEAD + sources + PRIORS.replace("SCALE", scale).replace("NOISE", str(noise)).replace("BIAS", "0")


def claims(count, **fields):
    return [{"source": f"s{n}", "published": "2024-01-01", "value": 300, **fields} for n in range(count)]


# A case on which each fault shows: one figure with little noise for rounding; one claim a source for a scale.
CASES = {
    "rounding": (claims(1), toml_of(1)),
    "scale": (claims(8, qualifier="exact", log_sd=0.1), toml_of(8, '{ dist = "LogNormal", mu = -1.2, sigma = 0.5 }')),
    "echo": (claims(2, qualifier="exact", log_sd=0.5), toml_of(2, noise=0.0)),
    "sign": (claims(1, qualifier="exact", log_sd=0.2), toml_of(1, role="adversary")),
    # Sharper claims, or those of many sources, would outweigh the prior that the fault changes: power .55 with eight.
    "jacobian": (
        claims(1, qualifier="exact", log_sd=0.5),
        toml_of(1, '{ dist = "LogNormal", mu = -1.2, sigma = 0.8 }'),
    ),
    "wording": (claims(1, qualifier="at_least"), toml_of(1)),
    # Two sources that err far a third of the time, by chances that are not known.
    "outlier": (
        claims(2, qualifier="exact", log_sd=0.1),
        toml_of(2).replace(
            '"outlier.probability" = { fixed = 0 }',
            '"outlier.probability" = { dist = "Beta", alpha = 5, beta = 10 }\n"outlier.factor" = { fixed = 15 }',
        ),
    ),
    # Whether the second source is of the adversary's is not known.
    "reading": (
        claims(2, qualifier="exact", log_sd=0.2),
        toml_of(2).replace('[sources.s1]\nrole = "independent"', '[sources.s1]\nrole = ["independent", "adversary"]'),
    ),
}

"""From a design to draws, and from draws to the summary: fitting, verdicts, simulation, shares of the variance.

May import `contract`, `model`, `sampler`, `case`, `system` and the top.
"""

"""What would change the answer: variants of a case, conflict between sources, weaker and stronger priors.

May import `runs`, `posterior`, `report`, `contract`, `model`, `sampler`, `case`, `system` and the top.
"""

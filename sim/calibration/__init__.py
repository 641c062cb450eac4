"""Wars whose losses are known: the record, priors learned from it, back-tests, scores, and simulated worlds.

May import `posterior`, `report`, `importers`, `model`, `sampler`, `case`, `system` and the top.
"""

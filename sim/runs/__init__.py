"""A run and its folder: fitting a case, what is written and read again, comparing and verifying runs.

May import `posterior`, `report`, `contract`, `model`, `sampler`, `case`, `system` and the top.
"""

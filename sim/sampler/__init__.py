"""The no-U-turn sampler, its chains and one verdict on draws. It knows densities and no wars.

May import `system` and the top.
"""

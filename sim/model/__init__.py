"""The model: parameters, state, beliefs and likelihood, as arrays, as compiled code and as a PyMC model.

May import `case`, `system` and the top. It evaluates densities and draws nothing but the prior.
"""

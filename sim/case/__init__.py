"""What was said: a case with its claims and prior sets as typed records, checked, and what of them is evidence.

May import `system` and the top. Nothing here computes a posterior.
"""

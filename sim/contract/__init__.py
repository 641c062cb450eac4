"""What a run and a sensitivity report say, as typed records: one definition for who writes them and who reads them.

`posterior` makes a summary and `sensitivity` its report, `runs` keeps them, `report` tells them, and neither needs to
know the other. May import `case`, `system` and the top.
"""

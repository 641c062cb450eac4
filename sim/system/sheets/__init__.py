"""Tables as people keep them: CSV of any kind, sheets, and how their cells write numbers and days."""

"""How a sentence is read: its days, its numbers, what they count and who says so, by the table of its language."""

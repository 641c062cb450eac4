"""What is said: the rows of the likelihood, the series in which a source speaks, and the layout of both."""

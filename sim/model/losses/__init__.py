"""What is lost when: the layout of the state, bursts about the smooth path, and which days are told of."""

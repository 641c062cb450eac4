"""Files, signals, processes and progress: what a program needs of its machine, whatever it is about.

May import the package's top (`errors`, `words`) alone.
"""

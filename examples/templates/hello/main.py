"""Greets whoever is named in the arguments."""

import sys

name = " ".join(sys.argv[1:]) or "world"
print(f"Hello, {name}!")

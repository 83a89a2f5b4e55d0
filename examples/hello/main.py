"""Prints a few lines with a pause between them, so that you can watch the output arrive."""

import platform
import sys
import time

WORDS = ["Hello from a sandbox.", "Each line is sent", "the moment it is printed,", "and not when the program ends."]

for number, words in enumerate(WORDS, start=1):
    print(f"{number}. {words}", flush=True)
    time.sleep(0.25)

name = sys.argv[1] if len(sys.argv) > 1 else "world"
print(f"Python {platform.python_version()} says goodbye, {name}.")

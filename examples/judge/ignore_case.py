"""A checker: is the output the expected one, whatever its case? Gets the paths of input, output and expected output."""

import sys

_, output, expected = (open(path).read().strip() for path in sys.argv[1:])
if output.lower() != expected.lower():
    print(f"{output!r} is not {expected!r}, in any case")
    sys.exit(1)

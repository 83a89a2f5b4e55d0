"""Analyses each folder in a process of its own, and prints the documents as JSON lines: `analyse_each.py ANALYSER FOLDER …`."""

import json
import os
import sys

sys.path.insert(0, sys.argv[1])

from analyser.analysis import analyse  # noqa: E402

for folder in sys.argv[2:]:
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        print(json.dumps(analyse(folder, sys.argv[1])))
        sys.stdout.flush()
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        sys.exit(f"{folder} was not analysed")

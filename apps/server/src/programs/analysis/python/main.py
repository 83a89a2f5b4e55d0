"""Reads a tree of files and writes one JSON document about it: `main.py TREE RESULT`. Nothing of the tree is ever imported or run."""

import json
import os
import sys

from analyser.analysis import analyse


def main():
    tree, target = sys.argv[1], sys.argv[2]
    own = os.path.dirname(os.path.abspath(__file__))
    document = analyse(os.path.abspath(tree), own)
    with open(target, "w", encoding="ascii") as output:
        json.dump(document, output)


if __name__ == "__main__":
    main()

"""Prints one line per function of the named Python files: path, name, first line, number of lines."""

import ast
import sys

for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as source:
        tree = ast.parse(source.read(), path)
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            print(path, node.name, node.lineno, node.end_lineno - node.lineno + 1, sep="\t")

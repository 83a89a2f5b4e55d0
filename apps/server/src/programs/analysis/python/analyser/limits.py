"""How much is looked at, and how much is told. Sizes are bytes, times seconds."""

MAX_FILES = 10_000
MAX_DEPTH = 40
# A syntax tree takes about a hundred times as much memory as its source.
MAX_SOURCE_BYTES = 2 * 1024 * 1024
MAX_MANIFEST_BYTES = 2 * 1024 * 1024
MAX_NOTEBOOK_BYTES = 20 * 1024 * 1024
# Secrets are looked for in the beginning of a file and of a line.
MAX_SECRET_BYTES = 1024 * 1024
MAX_SECRET_LINE = 20_000

FILE_SECONDS = 10
TOTAL_SECONDS = 100
WORKER_BYTES = 600 * 1024 * 1024
MAX_ANSWER_BYTES = 64 * 1024 * 1024
MAX_LOST_WORKERS = 50

MAX_RESULT_BYTES = 8 * 1024 * 1024
MAX_CALLS_PER_FILE = 5_000
MAX_INCLUDE_DEPTH = 10
MAX_TEXT = 500
MAX_DOCSTRING = 4_000

# What the document holds at most; of the rest the number is told.
MAX_ITEMS = {
    "entrypoints": 200,
    "dependencies": 2_000,
    "slots": 2_000,
    "calls": 5_000,
    "secrets": 500,
    "variables": 500,
    "manifests": 200,
    "pythonVersions": 100,
    "problems": 1_000,
}


def shorten(text, limit=MAX_TEXT):
    return text if len(text) <= limit else text[: limit - 1] + "…"

"""Files and lines that look like secrets. What is told is where they are, never what they are."""

import fnmatch
import re

from .limits import MAX_SECRET_LINE
from .tree import name_of

_MOST_PER_FILE = 20

_NAMES = (
    (".env", "env_file", "Files named .env hold settings that are mostly secret."),
    (".env.*", "env_file", "Files named .env hold settings that are mostly secret."),
    ("*.pem", "key_file", "It may be a private key."),
    ("*.key", "key_file", "It may be a private key."),
    ("*.p12", "key_file", "It may be a private key."),
    ("*.pfx", "key_file", "It may be a private key."),
    ("*.keystore", "key_file", "It may hold private keys."),
    ("*.jks", "key_file", "It may hold private keys."),
    ("id_rsa", "key_file", "It may be a private key."),
    ("id_ed25519", "key_file", "It may be a private key."),
    ("id_ecdsa", "key_file", "It may be a private key."),
    ("credentials*", "credentials_file", "Its name says that it holds credentials."),
    ("secrets*", "credentials_file", "Its name says that it holds secrets."),
    (".netrc", "credentials_file", "It holds passwords of servers."),
    (".pypirc", "credentials_file", "It holds passwords of package indexes."),
    (".htpasswd", "credentials_file", "It holds passwords."),
)
_EXAMPLES = (".env.example", ".env.sample", ".env.template", ".env.dist", ".env.defaults")
_CODE = (".py", ".pyi", ".ts", ".tsx", ".js", ".jsx", ".go", ".java", ".rs", ".rb", ".md", ".rst", ".html")

# Sources: what the vendors document of their tokens. Each has a prefix that nothing else begins with.
_TOKENS = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("private_key", r"-----BEGIN (?:[A-Z0-9]{2,20} )?(?:[A-Z0-9]{2,20} )?PRIVATE KEY(?: BLOCK)?-----"),
        ("aws_access_key", r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
        ("github_token", r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{50,255})"),
        ("gitlab_token", r"(?<![A-Za-z0-9])glpat-[A-Za-z0-9_-]{20,}"),
        ("anthropic_key", r"(?<![A-Za-z0-9])sk-ant-[A-Za-z0-9_-]{20,}"),
        ("openai_key", r"(?<![A-Za-z0-9])sk-(?!ant-)(?=[A-Za-z_-]{0,200}[0-9])(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,}"),
        ("huggingface_token", r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{30,}"),
        ("google_api_key", r"(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}"),
        ("slack_token", r"(?<![A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9-]{10,}"),
        ("stripe_key", r"(?<![A-Za-z0-9])[rs]k_live_[A-Za-z0-9]{20,}"),
        ("npm_token", r"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}"),
        ("pypi_token", r"(?<![A-Za-z0-9])pypi-[A-Za-z0-9_-]{50,}"),
        ("url_credentials", r"[a-z][a-z0-9+.-]{1,20}://[^\s/:@'\"<>{}$]{1,100}:[^\s/:@'\"<>{}$]{3,200}@[A-Za-z0-9]"),
    )
)
_LIKELY = re.compile(
    rb"PRIVATE KEY|AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|sk-|hf_|AIza|xox[abeoprs]-|k_live_|npm_|pypi-|://"
)
_PLACEHOLDER = re.compile(r"^(?:x+|\*+|\.+|your.*|changeme.*|example.*|password|secret|pass|token)$", re.IGNORECASE)


def find(path, data):
    """`[{"file", "line", "kind", "reason"}]`"""
    found = []
    name = name_of(path).lower()
    for pattern, kind, reason in _NAMES:
        if fnmatch.fnmatchcase(name, pattern) and name not in _EXAMPLES and not name.endswith(_CODE):
            found.append({"file": path, "line": None, "kind": kind, "reason": reason})
            break
    if _LIKELY.search(data) is None:
        return found
    for number, raw in enumerate(data.split(b"\n"), 1):
        line = raw[:MAX_SECRET_LINE]
        if _LIKELY.search(line):
            found.extend(_in_line(path, number, line.decode("utf-8", "replace")))
        if len(found) >= _MOST_PER_FILE:
            break
    return found[:_MOST_PER_FILE]


def _in_line(path, number, line):
    for kind, pattern in _TOKENS:
        match = pattern.search(line)
        if match is None or (kind == "url_credentials" and _is_placeholder(match.group(0))):
            continue
        reason = "A URL holds a password." if kind == "url_credentials" else f"It looks like {_ARTICLES.get(kind, 'a')} {kind.replace('_', ' ')}."
        yield {"file": path, "line": number, "kind": kind, "reason": reason}
        return


_ARTICLES = {"aws_access_key": "an", "anthropic_key": "an", "openai_key": "an", "npm_token": "an"}


def _is_placeholder(url):
    return _PLACEHOLDER.match(url.rpartition("@")[0].rpartition(":")[2]) is not None

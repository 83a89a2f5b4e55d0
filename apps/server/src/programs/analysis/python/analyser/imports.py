"""What a program needs by what it imports: all there is where nothing is declared."""

import re
import sys

from .entrypoints import is_beside
from .manifests.record import dependency
from .tree import name_of

# Where the package is not called as the module. Source: the projects on PyPI.
PACKAGES = {
    "attr": "attrs", "bs4": "beautifulsoup4", "Crypto": "pycryptodome", "cv2": "opencv-python", "dateutil": "python-dateutil",
    "docx": "python-docx", "dotenv": "python-dotenv", "faiss": "faiss-cpu", "fitz": "PyMuPDF", "git": "GitPython",
    "google.auth": "google-auth", "google.genai": "google-genai", "google.generativeai": "google-generativeai", "google.protobuf": "protobuf",
     "jose": "python-jose", "jwt": "PyJWT", "magic": "python-magic", "MySQLdb": "mysqlclient",
    "nacl": "PyNaCl", "OpenSSL": "pyOpenSSL", "PIL": "pillow", "pkg_resources": "setuptools", "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary", "serial": "pyserial", "sklearn": "scikit-learn", "skimage": "scikit-image", "slugify": "python-slugify",
    "socks": "PySocks", "telegram": "python-telegram-bot", "usb": "pyusb", "wx": "wxPython", "yaml": "PyYAML", "zmq": "pyzmq",
    "rouge_score": "rouge-score", "sentence_transformers": "sentence-transformers", "ibm_watsonx_ai": "ibm-watsonx-ai",
}  # fmt: skip


def normalize(name):
    """Source: PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def imported_packages(files, modules):
    """The first place of each package that is neither of the standard library nor of the tree, by name."""
    found = {}
    # What setup.py imports is needed to build, not to run.
    # The program itself tells better where a package is needed than what lies beside it.
    for path in sorted((path for path in files if name_of(path) != "setup.py"), key=lambda path: (is_beside(path), path)):
        for module, level, line in files[path]["importLines"]:
            top = module.split(".")[0]
            if level or not top or top in sys.stdlib_module_names or top == "__main__" or not top.isidentifier():
                continue
            if modules.absolute(top, path) is None:
                name = _package_of(module)
                if name not in found:
                    found[name] = dependency("python", name, "imports", path, line)
    return found


def _package_of(module):
    parts = module.split(".")
    if parts[:2] == ["google", "cloud"] and len(parts) > 2:
        return f"google-cloud-{parts[2]}".replace("_", "-")
    return PACKAGES.get(".".join(parts[:2])) or PACKAGES.get(parts[0], parts[0])


def is_declared(name, declared):
    """Packages of one family are often imported by the name of another."""
    plain = normalize(name)
    return any(plain == one or one.startswith(f"{plain}-") or plain.startswith(f"{one}-") for one in declared)

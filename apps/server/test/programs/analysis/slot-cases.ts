import type { Tree } from "./analyse-here.ts";

/** One program, and what is to be found in it: each slot by name, `callable` or why it is not. */
export interface SlotCase {
  readonly title: string;
  readonly tree: Tree;
  readonly slots: Readonly<Record<string, string>>;
}

function one(title: string, source: string, slots: SlotCase["slots"] = {}): SlotCase {
  return { title, tree: { "program.py": `${source}\n` }, slots };
}

const slot = (decorator: string, name = "f") => `@${decorator}\ndef ${name}(text: str) -> str: ...\n`;
const found = { f: "callable" };

/** Ways to say `generative`, and things that only look like it. */
export const slotCases: readonly SlotCase[] = [
  // found
  one("a plain import", `from mellea import generative\n${slot("generative")}`, found),
  one("an alias", `from mellea import generative as g\n${slot("g")}`, found),
  one("the module", `import mellea\n${slot("mellea.generative")}`, found),
  one("an alias of the module", `import mellea as m\n${slot("m.generative")}`, found),
  one(
    "a submodule by its whole path",
    `import mellea.stdlib.components.genstub\n${slot("mellea.stdlib.components.genstub.generative")}`,
    found,
  ),
  one("an alias of a submodule", `import mellea.stdlib.components.genstub as gs\n${slot("gs.generative")}`, found),
  one("the module path of before 0.5", `from mellea.stdlib.components.genslot import generative\n${slot("generative")}`, found),
  one("the module path of before 0.3", `from mellea.stdlib.genslot import generative\n${slot("generative")}`, found),
  one("a module from its parent", `from mellea.stdlib.components import genslot as old\n${slot("old.generative")}`, found),
  one("a star import", `from mellea import *\n${slot("generative")}`, found),
  one("an assignment", `import mellea\nslot = mellea.generative\n${slot("slot")}`, found),
  one("a chain of assignments", `from mellea import generative\na = generative\nb = a\nc, d = b, 1\n${slot("c")}`, found),
  one("two targets at once", `from mellea import generative\na = b = generative\n${slot("a")}${slot("b", "g")}`, {
    f: "callable",
    g: "callable",
  }),
  one("names that are swapped", `from mellea import generative\na, b = generative, len\na, b = b, a\n${slot("b")}`, found),
  one("a call instead of a decorator", "from mellea import generative\ndef plain(x: int) -> int: ...\nf = generative(plain)", found),
  one("a call that names the argument", "from mellea import generative\ndef plain(x: int) -> int: ...\nf = generative(func=plain)", found),
  one("a call with a declared type", "from mellea import generative\ndef plain(x: int) -> int: ...\nf: object = generative(plain)", found),
  one("an asynchronous function", "from mellea import generative\n@generative\nasync def f(x: int, *, y: str = 'a') -> int: ...", found),
  one("an asynchronous generator", "from mellea import generative\n@generative\nasync def f(x: int):\n    yield 1", found),
  one(
    "a static method",
    "from mellea import generative\nclass A:\n    @staticmethod\n    @generative\n    def f(x: int) -> int: ...",
    found,
  ),
  one(
    "a static method, the other way round",
    "from mellea import generative\nclass A:\n    @generative\n    @staticmethod\n    def f(x: int) -> int: ...",
    found,
  ),
  one(
    "a decorator that changes nothing",
    "import typing\nfrom mellea import generative\n@typing.final\n@generative\ndef f(x: int) -> int: ...",
    found,
  ),
  one(
    "an import with a way around its absence",
    `try:\n    from mellea import generative\nexcept ImportError:\n    def generative(f): return f\n${slot("generative")}`,
    found,
  ),
  one("the same with a bare except", `try:\n    from mellea import generative as g\nexcept Exception:\n    g = None\n${slot("g")}`, found),
  one("a branch that is never taken", `from mellea import generative\nif False:\n    generative = len\n${slot("generative")}`, found),
  one(
    "a branch for type checkers",
    `from typing import TYPE_CHECKING\nfrom mellea import generative\nif TYPE_CHECKING:\n    from elsewhere import generative\n${slot("generative")}`,
    found,
  ),
  one("no annotations at all", "from mellea import generative\n@generative\ndef f(a, b=1): ...", found),
  one(
    "arguments of every kind that can be named",
    "from mellea import generative\n@generative\ndef f(a, *more, b: int, c: str = 'x', **rest) -> int: ...",
    found,
  ),
  one("a name that is private", `from mellea import generative\n${slot("generative", "_f")}`, { _f: "callable" }),
  one("a slot that is used later", `from mellea import generative\n${slot("generative")}\ndef main(m):\n    return f(m, text="a")`, found),
  {
    title: "a re-export of the program",
    tree: { "lib.py": "from mellea import generative as g\n", "program.py": `from lib import g\n${slot("g")}` },
    slots: found,
  },
  {
    title: "a module of the program that has it",
    tree: { "lib.py": "import mellea\n", "program.py": `import lib\n${slot("lib.mellea.generative")}` },
    slots: found,
  },
  {
    title: "a relative import",
    tree: {
      "app/__init__.py": "",
      "app/lib.py": "from mellea import generative\n",
      "app/program.py": `from .lib import generative\n${slot("generative")}`,
    },
    slots: found,
  },
  {
    title: "a package that re-exports",
    tree: {
      "app/__init__.py": "from .lib import slot\n",
      "app/lib.py": "from mellea import generative as slot\n",
      "app/sub/__init__.py": "",
      "app/sub/program.py": `from .. import slot\n${slot("slot")}`,
    },
    slots: found,
  },
  {
    title: "a star import of the program",
    tree: {
      "lib.py": "from mellea import generative\n__all__ = ['generative']\n",
      "program.py": `from lib import *\n${slot("generative")}`,
    },
    slots: found,
  },
  {
    title: "a package below src",
    tree: {
      "src/app/__init__.py": "",
      "src/app/lib.py": "from mellea import generative as g\n",
      "src/app/program.py": `from app.lib import g\n${slot("g")}`,
    },
    slots: found,
  },
  {
    title: "a function of another file",
    tree: {
      "lib.py": "def plain(x: int, *, y: str = 'a') -> int: ...\n",
      "program.py": "from mellea import generative\nfrom lib import plain\nf = generative(plain)\n",
    },
    slots: found,
  },
  {
    title: "modules that import each other",
    tree: { "lib.py": "from mellea import generative as g\nimport program\n", "program.py": `from lib import g\n${slot("g")}` },
    slots: found,
  },

  // found, and not callable
  one("parentheses behind the decorator", `from mellea import generative\n${slot("generative()")}`, { f: "called_decorator" }),
  one(
    "a function inside a function",
    `from mellea import generative\ndef outer():\n    @generative\n    def f(x: int) -> int: ...\n    return f`,
    { f: "nested" },
  ),
  one("an import inside a function", `def outer():\n    from mellea import generative as g\n    @g\n    def f(x: int) -> int: ...`, {
    f: "nested",
  }),
  one("a method", "from mellea import generative\nclass A:\n    @generative\n    def f(self, x: int) -> int: ...", { f: "unbound_self" }),
  one(
    "a method whose first argument has another name",
    "from mellea import generative\nclass A:\n    @generative\n    def f(this, x: int) -> int: ...",
    { f: "unbound_self" },
  ),
  one("a class method", "from mellea import generative\nclass A:\n    @classmethod\n    @generative\n    def f(cls, x: int) -> int: ...", {
    f: "class_method",
  }),
  one("a reserved argument", "from mellea import generative\n@generative\ndef f(context: str) -> str: ...", { f: "reserved_argument" }),
  one("a reserved argument that is keyword-only", "from mellea import generative\n@generative\ndef f(a: int, *, m: str) -> str: ...", {
    f: "reserved_argument",
  }),
  one(
    "slots of a file that cannot be imported",
    `from mellea import generative\n${slot("generative")}@generative\ndef g(backend: str) -> str: ...`,
    { f: "broken_file", g: "reserved_argument" },
  ),
  one("a positional-only argument", "from mellea import generative\n@generative\ndef f(a: int, /, b: int) -> int: ...", {
    f: "positional_only",
  }),
  one("another decorator on top", `import functools\nfrom mellea import generative\n@functools.cache\n${slot("generative")}`, {
    f: "decorated_again",
  }),
  one(
    "another decorator below",
    `import functools\nfrom mellea import generative\n@generative\n@functools.lru_cache\ndef f(x: int) -> int: ...`,
    { f: "decorated_before" },
  ),
  one(
    "a definition that depends",
    `import os\nfrom mellea import generative\nif os.environ.get("A"):\n    @generative\n    def f(x: int) -> int: ...`,
    { f: "conditional" },
  ),
  one(
    "a definition for scripts",
    `from mellea import generative\nif __name__ == "__main__":\n    @generative\n    def f(x: int) -> int: ...`,
    { f: "script_only" },
  ),
  one("a definition in a loop", `from mellea import generative\nfor i in range(2):\n    @generative\n    def f(x: int) -> int: ...`, {
    f: "conditional",
  }),
  one("a name that is used again", `from mellea import generative\n${slot("generative")}\nf = 1`, { f: "rebound" }),
  one("a name that is deleted", `from mellea import generative\n${slot("generative")}\ndel f`, { f: "rebound" }),
  one("a lambda", "from mellea import generative\nf = generative(lambda x: x)", { f: "lambda" }),
  one("something that cannot be read", "import os\nfrom mellea import generative\nf = generative(os.getcwd)", { f: "signature_unknown" }),
  one("a slot without a name", "from mellea import generative\ndef plain(x: int) -> int: ...\nSLOTS = {'a': generative(plain)}", {
    plain: "unnamed",
  }),
  {
    title: "a cell of a notebook",
    tree: {
      "program.ipynb": JSON.stringify({
        cells: [
          { cell_type: "code", source: ["%pip install mellea\n", "from mellea import generative\n"] },
          { cell_type: "code", source: slot("generative") },
        ],
        metadata: {},
        nbformat: 4,
      }),
    },
    slots: { f: "notebook" },
  },

  // not found: something else has the name
  one("a decorator of the program", `import mellea\ndef generative(f): return f\n${slot("generative")}`),
  one("a decorator of another library", `import mellea\nfrom elsewhere import generative\n${slot("generative")}`),
  one("an attribute of another library", `import mellea\nimport elsewhere as m\n${slot("m.generative")}`),
  one("a definition behind the import", `from mellea import generative\ndef generative(f): return f\n${slot("generative")}`),
  one("another import behind the import", `from mellea import generative\nfrom elsewhere import generative\n${slot("generative")}`),
  one("an assignment behind the import", `import mellea\nmellea = len\n${slot("mellea.generative")}`),
  one(
    "a name that is bound in one branch",
    `import os\nfrom mellea import generative\nif os.environ.get("A"):\n    generative = len\n${slot("generative")}`,
  ),
  one("a name that is bound in a loop", `from mellea import generative\nfor generative in [len]:\n    pass\n${slot("generative")}`),
  one(
    "a loop that changes the name for its next round",
    `from mellea import generative\nfor i in range(2):\n    @generative\n    def f(x: int) -> int: ...\n    generative = len`,
  ),
  one(
    "a name that a function changes",
    `from mellea import generative\ndef change():\n    global generative\n    generative = len\nchange()\n${slot("generative")}`,
  ),
  one("an argument of that name", "import mellea\ndef outer(generative):\n    @generative\n    def f(x): ..."),
  one("a local name of that name", "from mellea import generative\ndef outer():\n    generative = len\n    @generative\n    def f(x): ..."),
  one(
    "a local name that is bound later",
    "from mellea import generative\ndef outer():\n    @generative\n    def f(x): ...\n    generative = len",
  ),
  one(
    "a name of a class",
    "from mellea import generative\nclass A:\n    generative = staticmethod(len)\n    @generative\n    def f(x): ...",
  ),
  one("a star import that may bring it", `from mellea import generative\nfrom elsewhere import *\n${slot("generative")}`),
  one("something put in its place", `import mellea\nmellea.generative = len\n${slot("mellea.generative")}`),
  one("something put in its place with setattr", `import mellea\nsetattr(mellea, "generative", len)\n${slot("mellea.generative")}`),
  one("something put in its place with globals", `from mellea import generative\nglobals()["generative"] = len\n${slot("generative")}`),
  one("code that nobody can read", `from mellea import generative\nexec("generative = len")\n${slot("generative")}`),
  one("another module in its place", `import sys\nsys.modules["mellea"] = sys\nimport mellea\n${slot("mellea.generative")}`),
  one("a walrus that rebinds it", `from mellea import generative\nprint(generative := len)\n${slot("generative")}`),
  one(
    "a with statement that rebinds it",
    `from mellea import generative\nwith open("/dev/null") as generative:\n    pass\n${slot("generative")}`,
  ),
  one(
    "an except clause that rebinds it",
    `from mellea import generative\ntry:\n    1 / 0\nexcept ZeroDivisionError as generative:\n    pass\n${slot("generative")}`,
  ),
  one("a match that binds it", `from mellea import generative\nmatch [len]:\n    case [generative]:\n        pass\n${slot("generative")}`),
  one(
    "an import for type checkers alone",
    `from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from mellea import generative\n${slot("generative")}`,
  ),
  one("a name that mellea does not have", `from mellea.core import generative\n${slot("generative")}`),
  one("a module whose name begins alike", `from mellea_extras import generative\n${slot("generative")}`),
  one("text and comments", `# from mellea import generative\nTEXT = """\nfrom mellea import generative\n@generative\ndef f(): ...\n"""`),
  one(
    "a fallback that is tried first",
    `try:\n    from elsewhere import generative\nexcept ImportError:\n    from mellea import generative\n${slot("generative")}`,
  ),
  {
    title: "a file of the program that is called mellea",
    tree: { "mellea.py": "def generative(f): return f\n", "program.py": `from mellea import generative\n${slot("generative")}` },
    slots: {},
  },
  {
    title: "a package of the program that is called mellea",
    tree: {
      "mellea/__init__.py": "def generative(f): return f\n",
      "app/__init__.py": "",
      "app/program.py": `from mellea import generative\n${slot("generative")}`,
    },
    slots: {},
  },
  {
    title: "a module of the program that changes the name",
    tree: {
      "lib.py": "from mellea import generative\ngenerative = len\n",
      "program.py": `from lib import generative\n${slot("generative")}`,
    },
    slots: {},
  },
  {
    title: "a program that changes where modules come from",
    tree: {
      "vendor/mellea.py": "def generative(f): return f\n",
      "program.py": `import sys\nsys.path.insert(0, "vendor")\nfrom mellea import generative\n${slot("generative")}`,
    },
    slots: {},
  },
  {
    title: "modules that import each other, where the name changes",
    tree: {
      "lib.py": "from mellea import generative as g\nimport program\ng = len\n",
      "program.py": `from lib import g\n${slot("g")}`,
    },
    slots: {},
  },
];

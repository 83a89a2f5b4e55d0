"""
What a name may stand for, as tuples:

("?",) nothing that is known · ("ext", dotted) something outside the tree · ("module", path) · ("folder", path) a package without
`__init__.py` · ("function", id) · ("class", id) · ("object", class id) · ("slot", id) · ("session", call) · ("method", call, name) of a
session · ("made", dotted, call) what a call of mellea gave · ("str", text) · ("argument",) without a type · ("argument-method", name) ·
("unbound",) on some ways to this place · ("many", values)
"""

UNKNOWN = ("?",)
_UNBOUND = ("unbound",)
_MOST = 8


def join(first, second):
    if first == second:
        return first
    parts = []
    for value in (first, second):
        for part in value[1] if value[0] == "many" else (value,):
            if part not in parts:
                parts.append(part)
    if len(parts) > _MOST:
        # One that is known is kept for what only has to be likely; that it is not the only one is known all the same.
        parts = [UNKNOWN, *[part for part in parts if part != UNKNOWN][: _MOST - 1]]
    return ("many", tuple(parts))


def alternatives(value):
    return value[1] if value[0] == "many" else (value,)


def bound_alternatives(value):
    """Where a name is not bound, it cannot be used."""
    return tuple(part for part in alternatives(value) if part != _UNBOUND)


def join_names(branches):
    joined = dict(branches[0])
    for names in branches[1:]:
        for name in joined.keys() | names.keys():
            joined[name] = join(joined.get(name, _UNBOUND), names.get(name, _UNBOUND))
    return joined


class Scope:
    """Names of a module, a class or a function. `typing`: those that exist for type checkers alone."""

    def __init__(self, kind, path, parent, qualname, own=()):
        self.kind = kind
        self.path = path
        self.parent = parent
        self.qualname = qualname
        self.names = {}
        self.typing = {}
        self.own = frozenset(own)
        self.shared = set()
        self.star = False
        self.class_id = None
        # Of modules: names that functions bind too.
        self.volatile = frozenset()
        self.returned = []

    @property
    def module(self):
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    @property
    def in_function(self):
        scope = self
        while scope is not None:
            if scope.kind == "function":
                return True
            scope = scope.parent
        return False

    def lookup(self, name, typing=False):
        scope = self
        star = False
        while scope is not None:
            if scope.kind != "class" or scope is self:
                if name in scope.names:
                    return scope.names[name]
                if typing and name in scope.typing:
                    return scope.typing[name]
                if scope.kind == "function" and name in scope.own:
                    return UNKNOWN
                star = star or scope.star
            scope = scope.parent
        return UNKNOWN if star else ("ext", f"builtins.{name}")

    def bind(self, name, value):
        if name in self.shared:
            names = self.module.names
            names[name] = join(names[name], value) if name in names else value
        else:
            self.names[name] = value

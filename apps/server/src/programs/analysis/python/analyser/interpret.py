"""
Follows names through the files, in the order in which Python would bind them, without running anything. Where two ways lead to a
statement the names stand for what either gave them, and what is not surely mellea's counts as something else.
"""

import sys
from collections import deque

from . import mellea_names as mellea
from .circles import find_circles
from .evaluate import Evaluator
from .slots import Slots
from .tree import problem
from .values import UNKNOWN, Scope, alternatives, join, join_names

# Decorators that give back what they are given.
_IDENTITIES = {
    f"{module}.{name}" for module in ("typing", "typing_extensions") for name in ("final", "override", "no_type_check", "type_check_only")
}
_STANDARD = sys.stdlib_module_names
_MOST_CALLS_DEEP = 20
_FIRST = ("__init__", "__post_init__", "__new__", "__enter__", "__aenter__", "setUp", "setup_method")


class Interpreter:
    def __init__(self, facts, modules):
        """`facts` of the Python files by path, as the reader gave them."""
        self.facts = facts
        self.modules = modules
        self.scopes = {}
        self.functions = []
        self.classes = []
        self.problems = []
        self.slots = Slots(self)
        self.evaluate = Evaluator(self)
        self.replaced = set()
        # Files whose names are not known to their end.
        self.failed = set()
        self.all_modules_read = False
        self._conditions = []
        self._waiting = deque()
        self._depth = 0
        self._circle_depth = 0
        self._circles = {}
        self._typing_only = 0

    def run(self):
        graph = {path: self._imported_by(path) for path in sorted(self.facts)}
        self._circles = find_circles(graph)
        for path in self._in_import_order(graph):
            if path not in self.scopes:
                self._guard(path, lambda path=path: self._module(path))
        self.all_modules_read = True
        while self._waiting:
            identity = self._waiting.popleft()
            self._guard(self.functions[identity]["path"], lambda identity=identity: self.read_body(identity))

    def _guard(self, path, work):
        try:
            work()
        except RecursionError:
            self.failed.add(path)
            self.problems.append(problem("warning", "too_complex", "The names of this file are nested too deeply to be followed.", path))
        except Exception as error:  # what one file does to the analyser must not cost the others their answer
            message = f"The names of this file could not be followed to its end ({type(error).__name__}); its slots may be missing."
            self.problems.append(problem("warning", "not_followed", message, path))
            self.failed.add(path)
        finally:
            self._conditions.clear()
            self._typing_only = 0
            self._depth = 0

    # Order

    @staticmethod
    def _in_import_order(graph):
        """What a file imports comes before it, as far as imports do not go in circles."""
        ordered, state = [], {}
        for start in graph:
            waiting = [(start, None)]
            while waiting:
                path, imports = waiting[-1]
                if imports is None:
                    if path in state:
                        waiting.pop()
                        continue
                    state[path] = "open"
                    imports = iter(graph[path])
                    waiting[-1] = (path, imports)
                following = next((other for other in imports if other not in state and other in graph), None)
                if following is None:
                    waiting.pop()
                    ordered.append(path)
                else:
                    waiting.append((following, None))
        return ordered

    def _imported_by(self, path):
        found = []
        for module, level, names in self.facts[path]["imports"]:
            target = self.modules.relative(level, module, path) if level else self.modules.absolute(module, path)
            if target is None or target[0] == "missing":
                continue
            found.append(target)
            found.extend(self.modules.packages_above(target[1], path))
            folder = target[1].removesuffix("/__init__.py") if target[0] == "module" else target[1]
            if target[0] == "folder" or target[1].endswith("/__init__.py"):
                found.extend(child for name in names if (child := self.modules.child(folder, name)))
        return [target[1] for target in found if target[0] == "module"]

    # Modules

    def _module(self, path):
        scope = self.scopes[path] = Scope("module", path, None, "")
        facts = self.facts[path]
        scope.volatile = frozenset(facts["volatile"])
        self.block(facts["body"], scope)

    def read_early(self, path):
        """A module of a circle of imports, when another one wants something of it: as Python does."""
        if path in self.scopes or path not in self.facts or self._circle_depth > _MOST_CALLS_DEEP:
            return
        before = self._conditions, self._typing_only
        self._conditions, self._typing_only = [], 0
        self._circle_depth += 1
        try:
            self._module(path)
        finally:
            self._circle_depth -= 1
            self._conditions, self._typing_only = before

    def is_sure(self, path, name, asking):
        """Whether a name of a module stands for the same whenever another one looks."""
        circle = self._circles.get(path)
        apart = circle is None or circle != self._circles.get(asking)
        return apart or _count_bindings(self.facts[path]["body"], name) == 1

    # Statements

    def block(self, statements, scope):
        """True: what follows is never reached."""
        for statement in statements:
            if getattr(self, "_do_" + statement[0].replace("-", "_"))(statement, scope):
                return True
        return False

    def _do_import(self, statement, scope):
        _, dotted, alias, _ = statement
        if alias:
            return scope.bind(alias, self._imported(dotted, scope.path))
        top = dotted.split(".")[0]
        scope.bind(top, self._imported(top, scope.path))

    def _imported(self, dotted, path):
        target = self.modules.absolute(dotted, path)
        if target is None:
            return ("ext", dotted)
        return UNKNOWN if target[0] == "missing" else target

    def _do_from(self, statement, scope):
        _, dotted, level, names, _ = statement
        target = self.modules.relative(level, dotted, scope.path) if level else self.modules.absolute(dotted, scope.path)
        base = ("ext", dotted) if target is None else UNKNOWN if target[0] == "missing" else target
        for name, alias in names:
            if name == "*":
                self._star(base, scope)
            else:
                scope.bind(alias, self.evaluate.attribute(base, name, scope))

    def _star(self, base, scope):
        if base[0] == "module" and base[1] in self.facts:
            self.read_early(base[1])
            source = self.scopes.get(base[1])
            if source is None:
                scope.star = True
                return self._doubt_everything(scope)
            listed = self.facts[base[1]]["all"]
            for name, value in list(source.names.items()):
                if name in listed if listed is not None else not name.startswith("_"):
                    scope.names[name] = value if self.is_sure(base[1], name, scope.path) else join(value, UNKNOWN)
            # Functions of that module may have bound these there, or exec and other modules any.
            for name in source.volatile if listed is None else source.volatile.intersection(listed):
                scope.names[name] = join(scope.names.get(name, UNKNOWN), UNKNOWN)
            if source.star:
                scope.star = True
                self._doubt_everything(scope)
        elif base[0] == "ext" and base[1] in mellea.EXPORTS:
            for name in mellea.EXPORTS[base[1]]:
                scope.names[name] = ("ext", f"{base[1]}.{name}")
        elif not (base[0] == "ext" and (base[1].split(".")[0] in _STANDARD or mellea.is_mellea(base[1]))):
            # It may bring any name, also those that are bound already.
            scope.star = True
            self._doubt_everything(scope)

    @staticmethod
    def _doubt_everything(scope):
        for name, value in scope.names.items():
            scope.names[name] = join(value, UNKNOWN)

    def _do_set(self, statement, scope):
        _, name, expression, line = statement
        value = self.evaluate(expression, scope)
        if value[0] == "slot":
            self.slots.name(value[1], name, line, scope, self._conditions)
        scope.bind(name, value)

    def _do_set_many(self, statement, scope):
        _, names, expressions, line = statement
        values = [self.evaluate(expression, scope) for expression in expressions]
        for name, value in zip(names, values):
            if name is None:
                continue
            if value[0] == "slot":
                self.slots.name(value[1], name, line, scope, self._conditions)
            scope.bind(name, value)

    def _do_annotate(self, statement, scope):
        _, name, annotation = statement
        if scope.kind == "class":
            value = self.evaluate.annotated(annotation, scope)
            if value is not None:
                self.classes[scope.class_id]["attributes"].setdefault(name, value)

    def _do_unbind(self, statement, scope):
        for name in statement[1]:
            scope.bind(name, UNKNOWN)

    def _do_delete(self, statement, scope):
        scope.names.pop(statement[1], None)

    def _do_enter(self, statement, scope):
        _, name, expression = statement
        value = self.evaluate(expression, scope)
        scope.bind(name, value if value[0] in ("session", "object") else UNKNOWN)

    def _do_set_attribute(self, statement, scope):
        _, target, name, expression = statement
        value = self.evaluate(expression, scope)
        for base in alternatives(self.evaluate(target, scope)):
            if base[0] == "ext" and mellea.canonical(f"{base[1]}.{name}") in mellea.GENERATIVE:
                self._replace(scope)
            elif base[0] in ("object", "class"):
                attributes = self.classes[base[1]]["attributes"]
                attributes[name] = join(attributes[name], value) if name in attributes else value
            elif base[0] == "module" and base[1] in self.scopes:
                names = self.scopes[base[1]].names
                names[name] = join(names[name], value) if name in names else value

    def _do_set_item(self, statement, scope):
        _, target, key = statement
        value = self.evaluate(target, scope)
        if value == ("ext", "sys.modules") and (key[0] != "s" or mellea.is_mellea(key[1])):
            self._replace(scope)
        is_namespace = target[0] == "c" and self.evaluate(target[1], scope) in (("ext", "builtins.globals"), ("ext", "builtins.vars"))
        if is_namespace and key[0] == "s":
            names = scope.module.names
            names[key[1]] = join(names[key[1]], UNKNOWN) if key[1] in names else UNKNOWN
        elif is_namespace:
            self._doubt_everything(scope.module)

    def _replace(self, scope):
        """Somebody puts something else in the place of mellea's decorator. In a function it counts for that file alone."""
        self.replaced.add(scope.path if scope.in_function else "*")

    def _do_global(self, statement, scope):
        scope.shared.update(statement[1])

    def _do_return(self, statement, scope):
        if len(scope.returned) < 5:
            scope.returned.append(self.evaluate(statement[1], scope))

    def _do_stop(self, _statement, _scope):
        return True

    def _do_calls(self, statement, scope):
        for expression, shadowed, awaited in statement[1]:
            self._note_dynamic(expression, scope)
            self.slots.note_call(expression, shadowed, awaited, scope, self._typing_only > 0)

    def _note_dynamic(self, expression, scope):
        _, function, arguments, *_ = expression
        value = self.evaluate(function, scope)
        if value == ("ext", "builtins.exec"):
            scope.module.star = True
            self._doubt_everything(scope.module)
        elif value == ("ext", "builtins.setattr") and len(arguments) > 1:
            name = arguments[1][1] if arguments[1][0] == "s" else "generative"
            self._do_set_attribute(["set-attribute", arguments[0], name, ["u", ""]], scope)

    # Branches

    def _do_if(self, statement, scope):
        _, branches, orelse = statement
        before = scope.names
        ends = []
        certain = False
        for test, body in branches:
            if test in ("false", "typing"):
                if test == "typing":
                    self._typing(body, scope)
                continue
            certain = test in ("true", "not-typing")
            condition = None if certain and not ends else "main" if test == "main" else "branch"
            self._branch(body, scope, before, condition, ends)
            if certain:
                break
        if not certain:
            only_else = all(test in ("false", "typing") for test, _ in branches)
            self._branch(orelse, scope, before, None if only_else or not orelse else "branch", ends)
        return self._merge(ends, scope, before)

    def _branch(self, body, scope, before, condition, ends):
        scope.names = dict(before)
        with_condition = condition is not None
        if with_condition:
            self._conditions.append(condition)
        stopped = self.block(body, scope)
        if with_condition:
            self._conditions.pop()
        if not stopped:
            ends.append(scope.names)

    @staticmethod
    def _merge(ends, scope, before):
        scope.names = join_names(ends) if ends else before
        return not ends

    def _typing(self, body, scope):
        before = scope.names
        scope.names = dict(before)
        self._typing_only += 1
        self.block([part for part in body if part[0] in ("import", "from", "set", "if", "try")], scope)
        self._typing_only -= 1
        scope.typing.update({name: value for name, value in scope.names.items() if before.get(name) != value})
        scope.names = before

    def _do_try(self, statement, scope):
        _, body, handlers, orelse, final = statement
        before = scope.names
        ends = []
        scope.names = dict(before)
        stopped = self.block(body, scope)
        middle = scope.names
        only_imports = all(part[0] in ("import", "from", "calls", "set", "stop") for part in body) and any(
            part[0] in ("import", "from") for part in body
        )
        has_import = any(part[0] in ("import", "from") for part in body)
        if not stopped and not self.block(orelse, scope):
            ends.append(scope.names)
        for is_import_error, caught in handlers:
            others = []
            self._branch(caught, scope, join_names([before, middle]), "except", others)
            # What is declared as a dependency is there: the way around a missing one is not taken.
            if not (has_import and is_import_error) and not only_imports:
                ends.extend(others)
        stopped = self._merge(ends, scope, middle)
        return self.block(final, scope) or stopped

    def _do_loop(self, statement, scope):
        _, body, orelse = statement
        before = scope.names
        # In the second round names may stand for what the first has left in them.
        scope.names = {name: value for name, value in before.items()}
        for name in _bound_by(body):
            if name in scope.names:
                scope.names[name] = join(scope.names[name], UNKNOWN)
        self._conditions.append("loop")
        self.block(body, scope)
        self._conditions.pop()
        scope.names = join_names([before, scope.names])
        return self.block(orelse, scope)

    # Definitions

    def _do_class(self, statement, scope):
        facts = statement[1]
        qualname = self.qualname(scope, facts["name"])
        inner = Scope("class", scope.path, scope, qualname)
        inner.class_id = len(self.classes)
        bases = [self.evaluate(base, scope) for base in facts["bases"]]
        self.classes.append({"scope": inner, "attributes": {}, "bases": bases, "name": facts["name"]})
        self.block(facts["body"], inner)
        value = ("class", inner.class_id)
        for decorator in reversed(facts["decorators"]):
            called = decorator["expression"]
            kept = self.evaluate(called[1] if called[0] == "c" else called, scope)
            if kept[0] != "ext":
                value = UNKNOWN
            elif mellea.canonical(kept[1]) in mellea.MIFY and not self._typing_only:
                self.slots.note_mify(facts, decorator, scope)
        scope.bind(facts["name"], value)

    def qualname(self, scope, name):
        if not scope.qualname:
            return name
        return f"{scope.qualname}.<locals>.{name}" if scope.kind == "function" else f"{scope.qualname}.{name}"

    def _do_function(self, statement, scope):
        facts = statement[1]
        identity = len(self.functions)
        inner = Scope("function", scope.path, scope, self.qualname(scope, facts["name"]), facts["locals"])
        self.functions.append({"facts": facts, "scope": inner, "path": scope.path, "class_id": scope.class_id, "read": False})
        value = self._decorate(facts, identity, scope)
        scope.bind(facts["name"], value)
        if facts["name"] in _FIRST and scope.kind == "class":
            self._waiting.appendleft(identity)
        else:
            self._waiting.append(identity)

    def _decorate(self, facts, identity, scope):
        kinds = [self._decorator_kind(decorator, scope) for decorator in facts["decorators"]]
        if "generative" in kinds or "called" in kinds:
            if self._typing_only:
                return UNKNOWN
            return self.slots.decorated(facts, identity, kinds, scope, self._conditions)
        if "doubtful" in kinds:
            self._doubt(facts, kinds, scope)
        return ("function", identity) if all(kind in ("identity", "static", "classmethod") for kind in kinds) else UNKNOWN

    def _doubt(self, facts, kinds, scope):
        text = facts["decorators"][kinds.index("doubtful")]["text"]
        message = f"{facts['name']} may be a slot: @{text} is mellea's on some ways to this line only, so it is left out."
        self.problems.append(problem("info", "doubtful_decorator", message, scope.path, facts["line"], facts["column"]))

    def _decorator_kind(self, decorator, scope):
        expression = decorator["expression"]
        if expression[0] == "c":
            return "called" if self.slots.is_generative(self.evaluate(expression[1], scope)) else "other"
        value = self.evaluate(expression, scope)
        if self.slots.is_generative(value):
            return "generative"
        if value[0] == "many" and any(self.slots.is_generative(part) for part in value[1]):
            return "doubtful"
        if value in (("ext", "builtins.staticmethod"), ("ext", "builtins.classmethod")):
            return "static" if value[1].endswith("staticmethod") else "classmethod"
        return "identity" if value[0] == "ext" and value[1] in _IDENTITIES else "other"

    def read_body(self, identity):
        """Once, after all modules; earlier than its turn when somebody wants to know what it returns."""
        function = self.functions[identity]
        if function["read"] or self._depth > _MOST_CALLS_DEEP:
            return
        function["read"] = True
        self._depth += 1
        self._function_body(function["facts"], function["scope"])
        self._depth -= 1

    def _function_body(self, facts, scope):
        owner = scope.parent if scope.parent.kind == "class" else None
        is_static = any(decorator["expression"] == ["n", "staticmethod"] for decorator in facts["decorators"])
        for index, argument in enumerate(facts["arguments"]):
            value = self.evaluate.annotated(argument["typeAs"], scope.parent)
            if value is None and index == 0 and owner is not None and not is_static:
                value = ("object", owner.class_id)
            if value is None:
                value = ("argument",) if argument["type"] is None else UNKNOWN
            scope.names[argument["name"]] = value
        self.block(facts["body"], scope)


def _count_bindings(statements, name):
    return sum(1 for bound in _bindings(statements) if bound in (name, "*"))


def _bound_by(statements):
    return set(_bindings(statements))


def _bindings(statements):
    found = []
    waiting = [statements]
    while waiting:
        for part in waiting.pop():
            kind = part[0]
            if kind in ("set", "enter", "delete", "annotate"):
                found.append(part[1])
            elif kind == "set-many":
                found.extend(name for name in part[1] if name)
            elif kind == "unbind":
                found.extend(part[1])
            elif kind in ("function", "class"):
                found.append(part[1]["name"])
            elif kind == "import":
                found.append(part[2] or part[1].split(".")[0])
            elif kind == "from":
                found.extend(alias for _, alias in part[3])
            elif kind == "if":
                waiting.extend(body for _, body in part[1])
                waiting.append(part[2])
            elif kind == "try":
                waiting.extend([part[1], part[3], part[4], *[body for _, body in part[2]]])
            elif kind == "loop":
                waiting.extend([part[1], part[2]])
    return found

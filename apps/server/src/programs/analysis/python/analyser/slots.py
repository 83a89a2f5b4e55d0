"""Slots of mellea: functions that `generative` was given, and why those that cannot be called cannot."""

from . import mellea_names as mellea
from .calls import Calls
from .docstrings import describe_arguments
from .limits import shorten
from .tree import problem
from .values import UNKNOWN

_REASONS = {
    "called_decorator": "The decorator is called: write @generative without parentheses.",
    "lambda": "It wraps a lambda, which has neither types nor a docstring.",
    "signature_unknown": "It wraps something whose signature cannot be read without running it.",
    "nested": "It is defined inside a function, so nobody else can reach it.",
    "unbound_self": "It is a method: mellea does not bind {name}, so it would have to be passed by hand.",
    "class_method": "It is a class method: the class is passed as a positional argument, which mellea refuses.",
    "reserved_argument": "mellea uses the argument name {name} itself and refuses the function when it is defined.",
    "positional_only": "The argument {name} is positional-only, and slots take keyword arguments alone.",
    "decorated_again": "@{name} is applied on top of it, so the name stands for something else.",
    "decorated_before": "It wraps what @{name} gives back, whose signature is not known.",
    "conditional": "It is defined only on some ways through the file.",
    "script_only": "It is defined only when the file is run as a script, not when it is imported.",
    "notebook": "It is defined in a notebook, which cannot be imported.",
    "rebound": "Its name stands for something else at the end of the file.",
    "unnamed": "It is not bound to a name.",
    "broken_file": "The file cannot be imported: {name} in it is refused when it is defined.",
}


def is_generative(value):
    return value[0] == "ext" and mellea.canonical(value[1]) in mellea.GENERATIVE


class Slots:
    is_generative = staticmethod(is_generative)

    def __init__(self, interpreter):
        self._interpreter = interpreter
        self.found = []
        self._by_place = {}
        # The first slot of a file that ends its import, by path.
        self._broken = {}
        self.calls = Calls(interpreter, self)

    # What the interpreter tells

    def decorated(self, facts, identity, kinds, scope, conditions):
        """`kinds` says what each decorator is, the outermost first. Answers what the function's name stands for."""
        index = max(position for position, kind in enumerate(kinds) if kind in ("generative", "called"))
        decorators = facts["decorators"]
        before, after = kinds[index + 1 :], kinds[:index]
        slot = self._reuse(decorators[index], scope)
        slot.update(name=facts["name"], line=facts["line"], column=facts["column"], scope=scope, facts=facts, identity=identity)
        slot["conditions"] = list(conditions)
        slot["inner_static"] = "static" in before
        slot["static"] = slot["inner_static"] or "static" in after
        slot["decorators"] = [decorator["text"] for decorator in decorators]
        if kinds[index] == "called":
            slot["reason"] = ("called_decorator", None)
        elif "classmethod" in kinds:
            slot["reason"] = ("class_method", None)
        else:
            kept = ("identity", "static") if scope.kind == "class" else ("identity",)
            slot["reason"] = self._wrapper("decorated_again", decorators[:index], after, kept) or self._wrapper(
                "decorated_before", decorators[index + 1 :], before, kept
            )
        slot["column"] = facts["column"]
        return ("slot", slot["id"]) if slot["reason"] is None or slot["reason"][0] == "decorated_before" else UNKNOWN

    @staticmethod
    def _wrapper(code, decorators, kinds, kept):
        for decorator, kind in zip(decorators, kinds):
            if kind not in kept:
                return code, shorten(decorator["text"], 80)
        return None

    def _reuse(self, decorator, scope):
        """A called decorator was seen as a call before."""
        expression = decorator["expression"]
        place = (scope.path, expression[4], expression[5]) if expression[0] == "c" else None
        if place in self._by_place:
            return self.found[self._by_place[place]]
        return self._new(scope)

    def _new(self, scope):
        slot = {"id": len(self.found), "name": None, "scope": scope, "facts": None, "reason": None, "conditions": [], "static": False}
        slot.update(inner_static=False, decorators=[], via="decorator", line=1, column=1, identity=None)
        self.found.append(slot)
        return slot

    def wrapped(self, expression, scope):
        """`generative(function)` as an expression."""
        _, _, arguments, keywords, line, column = expression
        place = (scope.path, line, column)
        if place not in self._by_place:
            slot = self._new(scope)
            self._by_place[place] = slot["id"]
            given = arguments[:1] or [value for name, value in keywords if name == "func"]
            value = self._interpreter.evaluate(given[0], scope) if given else UNKNOWN
            slot.update(via="call", line=line, column=column)
            if given and given[0][0] == "w":
                slot["reason"] = ("lambda", None)
            elif value[0] != "function":
                slot["reason"] = ("signature_unknown", None)
            else:
                function = self._interpreter.functions[value[1]]
                slot.update(facts=function["facts"], identity=value[1], in_class=function["class_id"] is not None)
        return ("slot", self._by_place[place])

    def name(self, identity, name, line, scope, conditions):
        """The value of a slot was given a name, for the first time."""
        slot = self.found[identity]
        if slot["name"] is None:
            slot.update(name=name, scope=scope, line=line, conditions=list(conditions))

    def note_call(self, expression, shadowed, awaited, scope, typing_only):
        value = self._interpreter.evaluate(expression[1], scope, shadowed)
        if is_generative(value):
            self.wrapped(expression, scope)
        elif not typing_only:
            self.calls.note(value, expression, shadowed, awaited, scope)

    def note_mify(self, facts, decorator, scope):
        expression = decorator["expression"]
        place = (expression[4], expression[5]) if expression[0] == "c" else (decorator["line"], 1)
        self.calls.add("mify", "mify", expression, scope, line=place[0], column=place[1], text=f"class {facts['name']}")

    # The result

    def finish(self):
        """The slots as they are told, in the order of files and lines."""
        told = []
        replaced = self._interpreter.replaced
        for slot in self.found:
            path = slot["scope"].path
            if path in self._interpreter.failed:
                continue
            if "*" in replaced or path in replaced:
                message = "What looks like a slot is left out: the program puts something of its own in the place of mellea's decorator."
                self._interpreter.problems.append(problem("info", "decorator_replaced", message, path, slot["line"], slot["column"]))
            else:
                told.append(self._tell(slot))
        for slot in told:
            broken = self._broken.get(slot["file"])
            if broken is not None and slot["callable"]:
                reason = _REASONS["broken_file"].replace("{name}", broken)
                slot.update(callable=False, reasonCode="broken_file", reason=reason)
        return sorted(told, key=lambda slot: (slot["file"], slot["line"], slot["name"]))

    def qualified_name(self, slot):
        module, _ = self._interpreter.modules.module_name(slot["scope"].path)
        name = slot["name"] or (slot["facts"] or {}).get("name") or "<unnamed>"
        return f"{module}.{self._interpreter.qualname(slot['scope'], name)}"

    def _tell(self, slot):
        facts = slot["facts"] or {}
        module, importable = self._interpreter.modules.module_name(slot["scope"].path)
        reason = slot["reason"] or self._why_not(slot)
        is_refused = reason is not None and reason[0] in ("called_decorator", "reserved_argument")
        if is_refused and not slot["conditions"] and not slot["scope"].in_function:
            self._broken.setdefault(slot["scope"].path, slot["name"] or "a slot")
        descriptions = describe_arguments(facts.get("fullDocstring"))
        is_async = bool(facts.get("async")) and not facts.get("generator") and not slot["inner_static"]
        return {
            "name": slot["name"] or facts.get("name") or "<unnamed>",
            "qualifiedName": self.qualified_name(slot),
            "module": module if importable else None,
            "kind": "async" if is_async else "function",
            "file": slot["scope"].path,
            "line": slot["line"],
            "arguments": [_argument(argument, descriptions) for argument in facts.get("arguments", [])],
            "returns": facts.get("returns"),
            "docstring": facts.get("docstring"),
            "decorators": slot["decorators"][:20],
            "callable": reason is None,
            "reasonCode": None if reason is None else reason[0],
            "reason": None if reason is None else _REASONS[reason[0]].replace("{name}", f"{reason[1]}"),
        }

    def _why_not(self, slot):
        facts, scope = slot["facts"], slot["scope"]
        if scope.in_function:
            return "nested", None
        names = [argument["name"] for argument in facts["arguments"]]
        if (scope.kind == "class" or slot.get("in_class")) and not slot["static"] and names:
            first = facts["arguments"][0]
            if first["name"] in ("self", "cls", "mcs") or first["type"] is None:
                return "unbound_self", first["name"]
        reserved = next((name for name in names if name in mellea.RESERVED_ARGUMENTS), None)
        if reserved is not None:
            return "reserved_argument", reserved
        positional = next((argument["name"] for argument in facts["arguments"] if argument["kind"] == "positional-only"), None)
        if positional is not None:
            return "positional_only", positional
        if slot["name"] is None:
            return "unnamed", None
        if scope.path.endswith(".ipynb"):
            return "notebook", None
        return self._why_not_reached(slot)

    def _why_not_reached(self, slot):
        if slot["conditions"]:
            return ("script_only" if set(slot["conditions"]) == {"main"} else "conditional"), None
        scope, value = slot["scope"], ("slot", slot["id"])
        name = slot["name"]
        while scope is not None:
            if scope.names.get(name) != value or name in scope.volatile:
                return "rebound", None
            name, value = scope.qualname.rpartition(".")[2], ("class", scope.class_id)
            scope = scope.parent
        return None


def _argument(argument, descriptions):
    return {
        "name": argument["name"],
        "kind": argument["kind"],
        "type": argument["type"],
        "default": argument["default"],
        "required": argument["default"] is None and not argument["kind"].startswith("var-"),
        "description": descriptions.get(argument["name"]),
    }

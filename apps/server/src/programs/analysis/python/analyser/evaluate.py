"""What an expression stands for."""

from . import mellea_names as mellea
from .values import UNKNOWN, alternatives, bound_alternatives, join


class Evaluator:
    def __init__(self, interpreter):
        self._interpreter = interpreter

    def __call__(self, expression, scope, shadowed=()):
        kind = expression[0]
        if kind == "n":
            return UNKNOWN if expression[1] in shadowed else self._lookup(expression[1], scope)
        if kind == "a":
            return self.attribute(self(expression[1], scope, shadowed), expression[2], scope)
        if kind == "c":
            return self._called(expression, scope, shadowed)
        return ("str", expression[1]) if kind == "s" else UNKNOWN

    def _lookup(self, name, scope):
        value = scope.lookup(name)
        module = scope.module
        # A function may have put something else there before.
        return join(value, UNKNOWN) if name in module.volatile and module.names.get(name) == value else value

    def attribute(self, base, name, scope):
        values = [self._attribute(part, name, scope) for part in alternatives(base)]
        result = values[0]
        for value in values[1:]:
            result = join(result, value)
        return result

    def _attribute(self, base, name, scope):
        interpreter = self._interpreter
        kind = base[0]
        if kind == "ext":
            return ("ext", f"{base[1]}.{name}")
        if kind == "module":
            return self._of_module(base[1], name, scope)
        if kind == "folder":
            return interpreter.modules.child(base[1], name) or UNKNOWN
        if kind == "unbound":
            return base
        if kind == "session":
            return ("method", base[1], name)
        if kind == "argument":
            return ("argument-method", name)
        if kind in ("object", "class"):
            return self._of_class(base[1], name, 0)
        return UNKNOWN

    def _of_module(self, path, name, asking):
        interpreter = self._interpreter
        interpreter.read_early(path)
        scope = interpreter.scopes.get(path)
        if scope is not None and name in scope.names:
            value = scope.names[name]
            is_sure = name not in scope.volatile and interpreter.is_sure(path, name, asking.path)
            return value if is_sure else join(value, UNKNOWN)
        if path.endswith("__init__.py"):
            child = interpreter.modules.child(path.removesuffix("__init__.py").rstrip("/"), name)
            if child is not None:
                return child
        return UNKNOWN

    def _of_class(self, class_id, name, depth):
        facts = self._interpreter.classes[class_id]
        if name in facts["attributes"]:
            return facts["attributes"][name]
        if name in facts["scope"].names:
            return facts["scope"].names[name]
        for base in facts["bases"] if depth < 10 else ():
            if base[0] == "class" and base[1] != class_id:
                found = self._of_class(base[1], name, depth + 1)
                if found != UNKNOWN:
                    return found
        return UNKNOWN

    def _called(self, expression, scope, shadowed):
        _, function, _, _, line, column = expression
        value = self(function, scope, shadowed)
        if self._interpreter.slots.is_generative(value):
            return self._interpreter.slots.wrapped(expression, scope)
        results = [self._result_of(part, scope, line, column) for part in bound_alternatives(value)] or [UNKNOWN]
        result = results[0]
        for other in results[1:]:
            result = join(result, other)
        return result

    def _result_of(self, value, scope, line, column):
        interpreter = self._interpreter
        call = (scope.path, line, column)
        if value[0] == "ext" and mellea.is_mellea(value[1]):
            dotted = mellea.canonical(value[1])
            return ("session", call) if dotted in mellea.SESSION_MAKERS else ("made", dotted, call)
        if value[0] == "method" and value[2] in ("clone", "__enter__"):
            return ("session", value[1])
        if value[0] == "class":
            return ("object", value[1])
        if value[0] == "function":
            facts = interpreter.functions[value[1]]
            annotated = self.annotated(facts["facts"]["returnsAs"], facts["scope"].parent)
            if annotated is not None:
                return annotated
            if interpreter.all_modules_read:
                interpreter.read_body(value[1])
            returned = facts["scope"].returned
            if returned and not facts["facts"]["generator"] and all(part[0] == "session" for part in returned):
                return returned[0]
        return UNKNOWN

    def annotated(self, annotation, scope):
        """The value of something that is declared as a session or as an object of a class of the tree; None for other types."""
        if annotation[0] == "o":
            found = [value for value in (self.annotated(part, scope) for part in annotation[1]) if value is not None]
            return found[0] if found else None
        value = self._type(annotation, scope)
        if value[0] == "ext" and mellea.canonical(value[1]) in mellea.SESSION_TYPES:
            return ("session", None)
        return ("object", value[1]) if value[0] == "class" else None

    def _type(self, annotation, scope):
        if annotation[0] == "n":
            return scope.lookup(annotation[1], typing=True)
        if annotation[0] == "a":
            return self.attribute(self._type(annotation[1], scope), annotation[2], scope)
        return UNKNOWN

"""Places where a program uses mellea: its sessions, what it asks of them, requirements, strategies, backends."""

from . import mellea_names as mellea
from .limits import shorten
from .values import bound_alternatives

_MODEL_POSITION = {"start_session": 1, "start_backend": 1}
# Said of an argument without a type, these are hardly anything else's.
_TELLING = set(mellea.METHODS) - {"validate", "transform", "query", "act", "chat"}
_SESSION_NAMES = {"m", "session", "mellea_session", "sess", "m_session"}
_TEXT_KEYWORDS = ("description", "content", "query", "transformation")


class Calls:
    def __init__(self, interpreter, slots):
        self._interpreter = interpreter
        self._slots = slots
        self._found = {}
        self._sessions = {}

    def note(self, value, expression, shadowed, awaited, scope):
        meanings = [meaning for part in bound_alternatives(value) if (meaning := self._meaning(part, expression, scope)) is not None]
        if not meanings:
            return
        kind, name, is_async, session, is_certain = meanings[0]
        self.add(
            kind,
            name,
            expression,
            scope,
            shadowed=shadowed,
            awaited=awaited,
            is_async=is_async,
            session=session,
            certain=is_certain and len(bound_alternatives(value)) == 1,
            slot=value if value[0] == "slot" else None,
        )

    def _meaning(self, value, expression, scope):
        """(kind, name, asynchronous, session, certain)"""
        if value[0] == "slot":
            return "slot", self._slots.found[value[1]]["name"] or "", False, None, True
        if value[0] == "method" and value[2] in mellea.METHODS:
            kind, is_async = mellea.METHODS[value[2]]
            return kind, value[2], is_async, value[1], True
        if value[0] == "ext":
            found = mellea.classify(value[1])
            return None if found is None else (*found, None, True)
        if value[0] == "argument-method" and value[1] in mellea.METHODS and self._interpreter.facts[scope.path]["mellea"]:
            receiver = expression[1][1]
            is_named_so = receiver[0] == "n" and receiver[1] in _SESSION_NAMES
            if value[1] in _TELLING or is_named_so:
                kind, is_async = mellea.METHODS[value[1]]
                return kind, value[1], is_async, None, False
        return None

    def add(
        self, kind, name, expression, scope, shadowed=(), awaited=False, is_async=False, session=None, certain=True, slot=None,
        line=None, column=None, text=None,
    ):  # fmt: skip
        is_call = expression[0] == "c"
        line, column = line or expression[4], column or expression[5]
        place = (scope.path, line, column, kind)
        arguments, keywords = (expression[2], dict(expression[3])) if is_call else ([], {})
        call = {
            "kind": kind,
            "name": name,
            "async": is_async or awaited,
            "file": scope.path,
            "line": line,
            "column": column,
            "within": _within(scope),
            "slot": None,
            "text": shorten(text or self._text_of(kind, arguments, keywords, scope), 300) or None,
            "requirements": self._requirements(kind, arguments, keywords, scope),
            "strategy": self._strategy(keywords, scope),
            "backend": None,
            "modelId": None,
            "certain": certain,
        }
        if slot is not None:
            call["_slot"] = slot[1]
        if kind in ("session", "backend"):
            call["backend"], call["modelId"], call["_backend"] = self._model_of(name, arguments, keywords, scope)
            self._sessions[(scope.path, line, column)] = call
        elif session is not None:
            call["_session"] = session
        self._found[place] = call

    def finish(self):
        told = []
        for call in self._sessions.values():
            made = self._sessions.get(call.pop("_backend"))
            if made is not None:
                call["backend"], call["modelId"] = made["backend"], made["modelId"]
        for call in self._found.values():
            session = self._sessions.get(call.pop("_session", None))
            if session is not None:
                call["backend"], call["modelId"] = session["backend"], session["modelId"]
            slot = call.pop("_slot", None)
            if slot is not None:
                call["slot"] = self._slots.qualified_name(self._slots.found[slot])
            told.append(call)
        return sorted(told, key=lambda call: (call["file"], call["line"], call["column"], call["kind"]))

    # Arguments

    def _text_of(self, kind, arguments, keywords, scope):
        if kind in ("session", "backend", "strategy", "slot"):
            return ""
        position = 1 if kind in ("query", "transform") else 0
        given = next((keywords[name] for name in _TEXT_KEYWORDS if name in keywords), None)
        if given is None and kind != "validate":
            given = arguments[position] if len(arguments) > position else None
        return "" if given is None else self._show(given, scope)

    def _requirements(self, kind, arguments, keywords, scope):
        given = keywords.get("requirements") or (keywords.get("reqs") if kind == "validate" else None)
        if given is None and kind == "validate" and arguments:
            given = arguments[0]
        if given is None or given == ["u", "None"]:
            return []
        items = given[1] if given[0] == "l" else [given]
        return [text for item in items[:50] if (text := shorten(self._show(item, scope), 300))]

    def _strategy(self, keywords, scope):
        given = keywords.get("strategy")
        if given is None:
            return None
        value = self._interpreter.evaluate(given, scope)
        if value[0] == "made":
            return value[1].rpartition(".")[2]
        return shorten(self._show(given, scope), 120) or None

    def _model_of(self, name, arguments, keywords, scope):
        backend = mellea.BACKENDS.get(name)
        position = _MODEL_POSITION.get(name, 0 if backend else None)
        model = keywords.get("model_id")
        if model is None and position is not None and len(arguments) > position:
            model = arguments[position]
        if backend is None and name in _MODEL_POSITION:
            given = keywords.get("backend_name") or (arguments[0] if arguments else ["s", "ollama"])
            backend = self._show(given, scope) or None
        given = keywords.get("backend") or (arguments[0] if arguments and name == "MelleaSession" else None)
        if given is not None:
            inner = self._interpreter.evaluate(given, scope)
            if inner[0] == "made":
                return None, None, inner[2]
        return backend, None if model is None else shorten(self._show(model, scope), 200) or None, None

    def _show(self, expression, scope):
        """An argument as a short text: what it says when that is known, else how it is written."""
        kind = expression[0]
        if kind in ("s", "u", "w"):
            return expression[1]
        if kind == "c":
            inner = self._show(expression[2][0], scope) if expression[2] else ""
            value = self._interpreter.evaluate(expression[1], scope)
            found = mellea.classify(value[1]) if value[0] == "ext" else None
            if found is not None and found[0] == "requirement":
                named = dict(expression[3]).get("description")
                return self._show(named, scope) if named else inner or f"{found[1]}()"
            return f"{_dotted(expression[1])}({inner})"
        if kind in ("n", "a"):
            value = self._interpreter.evaluate(expression, scope)
            if value[0] == "str":
                return value[1]
            if value[0] == "ext" and mellea.is_mellea(value[1]):
                return value[1].rpartition(".")[2]
            return _dotted(expression)
        return ""


def _dotted(expression):
    if expression[0] == "n":
        return expression[1]
    return f"{_dotted(expression[1])}.{expression[2]}" if expression[0] == "a" else "…"


def _within(scope):
    return scope.qualname or None

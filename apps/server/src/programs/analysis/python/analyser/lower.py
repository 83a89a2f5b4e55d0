"""
Makes of a syntax tree what the rest of the analysis needs: who binds which name to what, in order, and what is called. The result is
plain lists, so that it can leave the process that parsed.

Expressions: ["n", name] · ["a", expression, attribute] · ["c", function, arguments, keywords, line, column] · ["s", text] ·
["l", items] · ["d", first expression of a subscript, its index] · ["o", alternatives] · ["w", lambda's text] · ["u", text]
Statements: see `Lowering.statement`.
"""

import ast

from .limits import MAX_CALLS_PER_FILE, MAX_DOCSTRING, MAX_TEXT, shorten

_MAX_EXPRESSION_DEPTH = 12
_MAX_ITEMS = 50


class Lowering:
    def __init__(self, lines, with_calls):
        self._lines = lines
        self._with_calls = with_calls
        self.calls_left = MAX_CALLS_PER_FILE
        self.calls_left_out = 0

    def body(self, nodes):
        statements = []
        for node in nodes:
            self.statement(node, statements)
        return statements

    def statement(self, node, out):
        kind = type(node)
        if kind in (ast.FunctionDef, ast.AsyncFunctionDef):
            return self._function(node, out)
        if kind is ast.ClassDef:
            return self._class(node, out)
        if kind is ast.Import:
            for alias in node.names:
                out.append(["import", alias.name, alias.asname, node.lineno])
        elif kind is ast.ImportFrom:
            names = [[alias.name, alias.asname or alias.name] for alias in node.names]
            out.append(["from", node.module or "", node.level, names, node.lineno])
        elif kind is ast.Assign:
            self._expressions([node.value, *node.targets], out)
            for target in node.targets:
                self._assign(target, node.value, out)
        elif kind is ast.AnnAssign:
            self._expressions([node.value, node.target], out)
            if node.value is not None:
                self._assign(node.target, node.value, out)
            elif isinstance(node.target, ast.Name):
                out.append(["annotate", node.target.id, self.annotation(node.annotation)])
        elif kind is ast.AugAssign:
            self._expressions([node.value], out)
            self._unknown(node.target, out)
        elif kind in (ast.For, ast.AsyncFor):
            self._expressions([node.iter], out)
            inner = []
            self._unknown(node.target, inner)
            out.append(["loop", inner + self.body(node.body), self.body(node.orelse)])
        elif kind is ast.While:
            self._expressions([node.test], out)
            out.append(["loop", self.body(node.body), self.body(node.orelse)])
        elif kind is ast.If:
            self._if(node, out)
        elif kind in (ast.With, ast.AsyncWith):
            self._expressions([item.context_expr for item in node.items], out)
            for item in node.items:
                if isinstance(item.optional_vars, ast.Name):
                    out.append(["enter", item.optional_vars.id, self.expression(item.context_expr)])
                elif item.optional_vars is not None:
                    self._unknown(item.optional_vars, out)
            out.extend(self.body(node.body))
        elif kind is ast.Try or kind is getattr(ast, "TryStar", ast.Try):
            handlers = [[self._import_errors(handler.type), self._handler(handler)] for handler in node.handlers]
            out.append(["try", self.body(node.body), handlers, self.body(node.orelse), self.body(node.finalbody)])
        elif kind is getattr(ast, "Match", None):
            self._match(node, out)
        elif kind is ast.Delete:
            for target in node.targets:
                if isinstance(target, ast.Name):
                    out.append(["delete", target.id])
                elif isinstance(target, ast.Attribute):
                    out.append(["set-attribute", self.expression(target.value), target.attr, ["u", ""]])
        elif kind is ast.Global:
            out.append(["global", list(node.names)])
        elif kind is ast.Return:
            self._expressions([node.value], out)
            if node.value is not None:
                out.append(["return", self.expression(node.value)])
            out.append(["stop"])
        elif kind is ast.Raise:
            self._expressions([node.exc], out)
            out.append(["stop"])
        elif kind is getattr(ast, "TypeAlias", None):
            self._unknown(node.name, out)
        elif kind is ast.Expr:
            self._expressions([node.value], out)
            if self._is_exit(node.value):
                out.append(["stop"])
        elif kind is ast.Assert:
            self._expressions([node.test], out)

    @staticmethod
    def _is_exit(value):
        return isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in ("exit", "_exit")

    # Definitions

    def _function(self, node, out):
        arguments = node.args
        self._expressions([*node.decorator_list, *arguments.defaults, *[default for default in arguments.kw_defaults if default]], out)
        body = self.body(node.body)
        docstring = ast.get_docstring(node, clean=True)
        inner = list(_own_nodes(node))
        facts = {
            "name": node.name,
            "line": node.lineno,
            "column": self._lines.column(node.lineno, node.col_offset),
            "async": isinstance(node, ast.AsyncFunctionDef),
            "generator": any(isinstance(part, (ast.Yield, ast.YieldFrom)) for part in inner),
            "decorators": [self._decorator(decorator) for decorator in node.decorator_list],
            "arguments": self._arguments(arguments),
            "returns": self._text(node.returns),
            "returnsAs": self.annotation(node.returns),
            "docstring": None if docstring is None else shorten(docstring, MAX_DOCSTRING),
            "fullDocstring": None if docstring is None else shorten(docstring, 10 * MAX_DOCSTRING),
            "locals": _locals_of(node, inner),
            "body": body,
        }
        out.append(["function", facts])

    def _decorator(self, node):
        return {"expression": self.expression(node), "text": shorten(self._text(node), 200), "line": node.lineno}

    def _arguments(self, arguments):
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
        found = []
        for index, (argument, default) in enumerate(zip(positional, defaults)):
            kind = "positional-only" if index < len(arguments.posonlyargs) else "positional-or-keyword"
            found.append(self._argument(argument, kind, default))
        if arguments.vararg:
            found.append(self._argument(arguments.vararg, "var-positional", None))
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults):
            found.append(self._argument(argument, "keyword-only", default))
        if arguments.kwarg:
            found.append(self._argument(arguments.kwarg, "var-keyword", None))
        return found[:300]

    def _argument(self, argument, kind, default):
        return {
            "name": argument.arg,
            "kind": kind,
            "type": self._text(argument.annotation),
            "typeAs": self.annotation(argument.annotation),
            "default": self._text(default),
        }

    def _class(self, node, out):
        self._expressions([*node.decorator_list, *node.bases], out)
        out.append([
            "class",
            {
                "name": node.name,
                "line": node.lineno,
                "column": self._lines.column(node.lineno, node.col_offset),
                "decorators": [self._decorator(decorator) for decorator in node.decorator_list],
                "bases": [self.expression(base) for base in node.bases[:20]],
                "body": self.body(node.body),
            },
        ])

    # Branches

    def _if(self, node, out):
        branches = []
        orelse = [node]
        while len(orelse) == 1 and isinstance(orelse[0], ast.If):
            part = orelse[0]
            calls = []
            self._expressions([part.test], calls)
            branches.append([Lowering.test_of(part.test), calls + self.body(part.body)])
            orelse = part.orelse
        out.append(["if", branches, self.body(orelse)])

    @staticmethod
    def test_of(test):
        if isinstance(test, ast.Constant):
            return "true" if test.value else "false"
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            return {"true": "false", "false": "true", "typing": "not-typing"}.get(Lowering.test_of(test.operand), "unknown")
        name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", None)
        if name == "TYPE_CHECKING":
            return "typing"
        if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq):
            sides = [test.left, test.comparators[0]]
            names = {getattr(side, "id", None) for side in sides}
            values = {side.value for side in sides if isinstance(side, ast.Constant) and isinstance(side.value, str)}
            if "__name__" in names and "__main__" in values:
                return "main"
        return "unknown"

    def _handler(self, handler):
        statements = self.body(handler.body)
        return [["unbind", [handler.name]], *statements] if handler.name else statements

    @staticmethod
    def _import_errors(kind):
        names = kind.elts if isinstance(kind, ast.Tuple) else [kind]
        return bool(names) and all(getattr(name, "id", None) in ("ImportError", "ModuleNotFoundError") for name in names)

    def _match(self, node, out):
        self._expressions([node.subject], out)
        branches = []
        for case in node.cases:
            bound = sorted({
                name
                for part in ast.walk(case.pattern)
                for name in (getattr(part, "name", None), getattr(part, "rest", None))
                if isinstance(name, str)
            })
            branches.append(["unknown", [["unbind", bound], *self.body(case.body)]])
        out.append(["if", branches, []])

    # Bindings

    def _assign(self, target, value, out):
        if isinstance(target, ast.Name):
            out.append(["set", target.id, self.expression(value), getattr(target, "lineno", 1)])
        elif isinstance(target, ast.Attribute):
            out.append(["set-attribute", self.expression(target.value), target.attr, self.expression(value)])
        elif isinstance(target, ast.Subscript):
            out.append(["set-item", self.expression(target.value), self.expression(target.slice)])
        elif isinstance(target, (ast.Tuple, ast.List)):
            same = isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts)
            plain = same and not any(isinstance(part, ast.Starred) for part in [*value.elts, *target.elts])
            if plain:
                # The right side is evaluated first: `a, b = b, a`.
                names = [part.id if isinstance(part, ast.Name) else None for part in target.elts]
                out.append(["set-many", names, [self.expression(part) for part in value.elts], target.lineno])
            for part in target.elts:
                if not (plain and isinstance(part, ast.Name)):
                    self._unknown(part, out)
        else:
            self._unknown(target, out)

    def _unknown(self, target, out):
        names = [part.id for part in ast.walk(target) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)]
        if names:
            out.append(["unbind", names])
        for part in ast.walk(target):
            if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store):
                out.append(["set-attribute", self.expression(part.value), part.attr, ["u", ""]])

    # Expressions

    def _expressions(self, nodes, out):
        """Notes the calls and the names that are bound (`:=`) inside expressions."""
        calls = []
        bound = []
        for node in nodes:
            if node is not None:
                self._collect(node, calls, bound)
        if calls:
            out.append(["calls", calls])
        out.extend(bound)

    def _collect(self, root, calls, bound):
        waiting = [(root, (), False)]
        while waiting:
            node, shadowed, awaited = waiting.pop()
            if isinstance(node, ast.Call):
                self._note_call(node, shadowed, awaited, calls)
            elif isinstance(node, ast.NamedExpr):
                bound.append(["set", node.target.id, self.expression(node.value), node.lineno])
            elif isinstance(node, ast.Lambda):
                every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
                shadowed = (*shadowed, *(argument.arg for argument in every if argument))
            elif isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
                names = (part.id for generator in node.generators for part in ast.walk(generator.target) if isinstance(part, ast.Name))
                shadowed = (*shadowed, *names)
            is_await = isinstance(node, ast.Await)
            waiting.extend((child, shadowed, is_await) for child in reversed(list(ast.iter_child_nodes(node))))

    def _note_call(self, node, shadowed, awaited, calls):
        if not self._with_calls:
            return
        if self.calls_left <= 0:
            self.calls_left_out += 1
            return
        self.calls_left -= 1
        calls.append([self.expression(node), sorted(set(shadowed))[:50], awaited])

    def expression(self, node, depth=0):
        if depth > _MAX_EXPRESSION_DEPTH or node is None:
            return ["u", ""]
        if isinstance(node, ast.Name):
            return ["n", node.id]
        if isinstance(node, ast.Attribute):
            return ["a", self.expression(node.value, depth + 1), node.attr]
        if isinstance(node, ast.Await):
            return self.expression(node.value, depth + 1)
        if isinstance(node, ast.NamedExpr):
            return self.expression(node.value, depth + 1)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return ["s", shorten(node.value, 300)]
        if isinstance(node, ast.JoinedStr):
            return ["u", shorten(self._text(node), 300)]
        if isinstance(node, ast.Call):
            arguments = [self.expression(argument, depth + 1) for argument in node.args[:8]]
            keywords = [[keyword.arg, self.expression(keyword.value, depth + 1)] for keyword in node.keywords[:40]]
            line = node.lineno
            return ["c", self.expression(node.func, depth + 1), arguments, keywords, line, self._lines.column(line, node.col_offset)]
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            return ["l", [self.expression(item, depth + 1) for item in node.elts[:_MAX_ITEMS]]]
        if isinstance(node, ast.Lambda):
            return ["w", shorten(self._text(node), 120)]
        return ["u", shorten(self._text(node), 120)]

    def annotation(self, node, depth=0):
        """As `expression`, for what a type may be: `A | B`, `Optional[A]` and the text of a forward reference are seen through."""
        if depth > _MAX_EXPRESSION_DEPTH or node is None:
            return ["u", ""]
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) <= 200:
            try:
                return self.annotation(ast.parse(node.value.strip(), mode="eval").body, depth + 1)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return ["u", ""]
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return ["o", [self.annotation(node.left, depth + 1), self.annotation(node.right, depth + 1)]]
        if isinstance(node, ast.Subscript):
            name = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", None)
            if name in ("Optional", "Annotated", "Awaitable", "Union"):
                parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
                parts = parts[:1] if name == "Annotated" else parts
                return ["o", [self.annotation(part, depth + 1) for part in parts[:10]]]
            return self.annotation(node.value, depth + 1)
        if isinstance(node, (ast.Name, ast.Attribute)):
            return self.expression(node, depth)
        return ["u", ""]

    def _text(self, node):
        return None if node is None else shorten(self._lines.of(node), MAX_TEXT)


def _own_nodes(function):
    """The nodes of a function without those of functions and classes in it."""
    waiting = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            waiting.extend(ast.iter_child_nodes(node))


def _locals_of(function, nodes):
    """Names that are local to a function because it binds them somewhere."""
    found, shared = set(), set()
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            found.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            shared.update(node.names)
        else:
            for name in (getattr(node, "name", None), getattr(node, "rest", None)):
                if isinstance(name, str):
                    found.add(name)
    return sorted(found - shared)

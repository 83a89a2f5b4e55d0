"""A stateful Python interpreter: runs one piece of code after another in one `__main__`, and tells what the last expression was.

On the control pipe, a JSON document a line. In: {id, code}. Out: {type: "ready"}, and for each piece of code any number of
{type: "display" | "result", id, data: {MIME type: text, base64 or document}, omitted: [MIME type]} and {type: "error", id, name, value,
traceback}, then {type: "done", id, status: "ok" | "error" | "interrupted"}. What it prints goes where a program's output goes.
"""

import ast
import asyncio
import base64
import builtins
import inspect
import io
import json
import linecache
import os
import signal
import sys
import traceback
import types

MAX_BUNDLE = 4 << 20  # bytes of one result
MAX_ROWS = 1000  # of a table's document
TABLE = "application/vnd.dataresource+json"  # {schema: {fields: [{name}]}, data: [row], rows: how many there are in all}
BACKEND = "syla_plots"


class Interrupt:
    """SIGINT is a KeyboardInterrupt while code runs, and nothing between."""

    running = False

    @classmethod
    def handle(cls, number, frame):
        if cls.running:
            raise KeyboardInterrupt


class Control:
    """The control pipe."""

    def __init__(self, descriptor):
        self.reader = os.fdopen(os.dup(descriptor), "rb")
        self.descriptor = descriptor
        os.set_inheritable(descriptor, False)

    def send(self, **message):
        data = json.dumps(message).encode() + b"\n"
        view = memoryview(data)
        while view:
            view = view[os.write(self.descriptor, view) :]


class Context:
    def __init__(self, control):
        self.control = control
        self.main = types.ModuleType("__main__")
        self.main.__dict__.update(__builtins__=builtins, display=self.display)
        sys.modules["__main__"] = self.main
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        self.current = self.count = 0

    def display(self, *values, raw=False):
        """Shows values in the richest form that they have. `raw`: each value is the forms, by MIME type: display({"text/html": "<b>x</b>"}, raw=True)."""
        for value in values:
            sys.stdout.flush()
            self.show("display", value, dict(value) if raw else None)

    def show(self, kind, value, forms=None):
        data, omitted = bundle(value, forms)
        self.control.send(type=kind, id=self.current, data=data, omitted=omitted)

    def serve(self):
        self.control.send(type="ready")
        for line in self.control.reader:
            wish = json.loads(line)
            if "interrupt" in wish:
                continue  # said by a signal
            self.current = wish["id"]
            self.control.send(type="done", id=self.current, status=self.run(wish["code"]))

    def run(self, code):
        self.count += 1
        name = f"<cell {self.count}>"
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        status = "ok"
        try:
            Interrupt.running = True
            self.execute(code, name)
            self.show_plots()
        except KeyboardInterrupt as error:
            status = "interrupted"
            self.report(error)
        except SystemExit as error:
            status = "ok" if error.code in (None, 0) else "error"
            if status == "error":
                self.report(error)
        except BaseException as error:
            status = "error"
            self.report(error)
        finally:
            Interrupt.running = False
            self.cancel_tasks()
            flush()
        return status

    def execute(self, code, name):
        tree = ast.parse(code, name)
        last = None
        if tree.body and isinstance(tree.body[-1], ast.Expr) and not code.rstrip().endswith(";"):
            last = ast.Expression(tree.body.pop().value)
        self.evaluate(tree, name, "exec")
        if last is not None:
            value = self.evaluate(last, name, "eval")
            if value is not None:
                builtins._ = value
                flush()
                self.show("result", value)

    def evaluate(self, tree, name, mode):
        program = compile(tree, name, mode, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        if program.co_flags & inspect.CO_COROUTINE:
            return self.loop.run_until_complete(types.FunctionType(program, self.main.__dict__)())
        return eval(program, self.main.__dict__)

    def cancel_tasks(self):
        """After an interruption nobody waits for what was awaited. Tasks that were made to go on do, with the next `await`."""
        for task in asyncio.all_tasks(self.loop) if sys.exc_info()[0] else ():
            task.cancel()

    def report(self, error):
        """An error with its traceback as the interpreter prints it, without our own frames."""
        told = traceback.TracebackException(type(error), error, error.__traceback__)
        own = (__file__, asyncio.base_events.__file__, asyncio.futures.__file__)
        told.stack = traceback.StackSummary.from_list([frame for frame in told.stack if frame.filename not in own])
        lines = told.format()
        value = safely(str, error)
        flush()
        self.control.send(type="error", id=self.current, name=type(error).__name__, value=cut(value), traceback=cut("".join(lines)))

    def show_plots(self):
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is None:
            return
        for number in pyplot.get_fignums():
            self.show("display", pyplot.figure(number))
        pyplot.close("all")


def cut(text, limit=65536):
    return text if len(text) <= limit else text[:limit] + "…"


def safely(make, *arguments):
    """What a method of the program's own objects says, or why it does not."""
    try:
        return make(*arguments)
    except Exception as error:
        return f"<{make.__name__} failed: {type(error).__name__}>"


def flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass


def bundle(value, forms=None):
    """(data, omitted): every form that a value has, by MIME type, or those that are given; those that are too large are only named."""
    if forms is None:
        forms = {"text/plain": safely(repr, value)}
        forms |= figure_forms(value) or own_forms(value)
        if isinstance(value, (dict, list)):
            add_document(forms, value)
    data, omitted, used = {}, [], 0
    for mime, form in forms.items():
        form = as_text(mime, form)
        if form is None:
            continue
        size = len(form) if isinstance(form, str) else len(json.dumps(form))
        if used + size > MAX_BUNDLE:
            omitted.append(mime)
        else:
            data[mime], used = form, used + size
    if "text/plain" in omitted:
        data["text/plain"] = cut(forms["text/plain"])
    return data, omitted


def as_text(mime, form):
    """What JSON can carry; None for what is of no use."""
    if isinstance(form, (bytes, bytearray)):
        return base64.b64encode(form).decode()
    if isinstance(form, str):
        return form.encode(errors="replace").decode()
    try:
        return json.loads(json.dumps(form, allow_nan=False)) if mime.endswith("json") else None
    except (TypeError, ValueError, RecursionError):
        return None


METHODS = {
    "_repr_html_": "text/html",
    "_repr_svg_": "image/svg+xml",
    "_repr_png_": "image/png",
    "_repr_jpeg_": "image/jpeg",
    "_repr_markdown_": "text/markdown",
    "_repr_latex_": "text/latex",
    "_repr_json_": "application/json",
}


def own_forms(value):
    """What a value says of itself, the way notebooks ask for it."""
    forms = {}
    if isinstance(value, type):
        return forms
    mimebundle = getattr(value, "_repr_mimebundle_", None)
    if callable(mimebundle):
        try:
            said = mimebundle()
            forms |= said[0] if isinstance(said, tuple) else said
        except Exception:
            pass
    for name, mime in METHODS.items():
        method = getattr(value, name, None)
        if mime in forms or not callable(method):
            continue
        try:
            said = method()
        except Exception:
            continue
        if said is not None:
            forms[mime] = said[0] if isinstance(said, tuple) else said
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, (pandas.DataFrame, pandas.Series)):
        try:
            frame = value if isinstance(value, pandas.DataFrame) else value.to_frame()
            document = json.loads(frame.head(MAX_ROWS).to_json(orient="table", default_handler=str))
            forms[TABLE] = document | {"rows": len(frame)}
        except Exception:
            pass
    return {mime: form for mime, form in forms.items() if isinstance(mime, str)}


def figure_forms(value):
    """A plot as an image."""
    figures = sys.modules.get("matplotlib.figure")
    if figures is None or not isinstance(value, figures.Figure):
        return {}
    image = io.BytesIO()
    value.savefig(image, format="png", bbox_inches="tight")
    return {"image/png": image.getvalue()}


def add_document(forms, value):
    try:
        forms["application/json"] = document = json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        return
    if is_table(document):
        names = list(dict.fromkeys(name for row in document[:MAX_ROWS] for name in row))
        forms[TABLE] = {"schema": {"fields": [{"name": name} for name in names]}, "data": document[:MAX_ROWS], "rows": len(document)}


def is_table(document):
    """A list of records whose values are plain: what a database or a CSV file gives."""
    return (
        isinstance(document, list)
        and len(document) > 0
        and all(isinstance(row, dict) and row and not any(isinstance(cell, (dict, list)) for cell in row.values()) for row in document)
    )


class PlotBackend:
    """Makes the module that matplotlib takes its figures from when it is wanted: `plt.show()` shows them here."""

    def __init__(self, context):
        self.context = context

    def find_spec(self, name, path=None, target=None):
        if name != BACKEND:
            return None
        from importlib.machinery import ModuleSpec

        return ModuleSpec(name, self)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        from matplotlib.backend_bases import FigureManagerBase
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        def show(*arguments, **options):
            flush()
            self.context.show_plots()

        module.FigureCanvas, module.FigureManager, module.show = FigureCanvasAgg, FigureManagerBase, show


def main():
    control = Control(int(os.environ.pop("SYLA_CONTROL_FD")))
    signal.signal(signal.SIGINT, Interrupt.handle)
    os.environ.setdefault("MPLBACKEND", f"module://{BACKEND}")
    sys.path[0] = ""
    sys.argv = [""]
    sys.stdout.reconfigure(line_buffering=True)
    context = Context(control)
    sys.meta_path.append(PlotBackend(context))
    context.serve()


main()

"""What a composition does besides computing where somebody follows it: it tells of its nodes, and takes results that are kept.

Generated files call this module; `syla_channel` brings what is told to where it is kept.
"""

import asyncio
import contextvars
import hashlib
import inspect
import io
import json
import math
import os
import subprocess
import sys
import threading
import time

import syla_calls
import syla_channel

# The exit code of a run that waits for a person.
PAUSED = 75
# Outputs above this are not printed: they are kept with the nodes.
MOST_PRINTED = 1024 * 1024
# A node waits twice as long before each attempt, but not longer than so many seconds.
LONGEST_WAIT = 600

_plan = syla_channel.read_plan()
_nodes = _plan["nodes"]
_forced = frozenset(_plan.get("forced", ()))
_required = frozenset(_plan.get("required", ()))
_pins = _plan.get("pins", {})
_folders = _plan.get("folders", {})
# A graph within may be tried again: nothing of it may go on by itself then.
_settles = any(node.get("onError") and node["children"] for node in _nodes.values())
_channel = syla_channel.open_channel()
_modules = _plan.get("modules", ())
# Generated files import this module first, and what programs bring along after it.
sys.path[1:1] = [os.path.abspath(_folders[program]) for program in _modules]


def _take_secrets():
    """The variables of each program: in no environment but its own from now on. Functions of programs have that of this process."""
    held = {
        program: {variable: os.environ[name] for variable, name in variables.items() if name in os.environ}
        for program, variables in _plan.get("secrets", {}).items()
    }
    for variables in _plan.get("secrets", {}).values():
        for name in variables.values():
            os.environ.pop(name, None)
    for program in _modules:
        os.environ.update(held.get(program, {}))
    return held


_secrets = _take_secrets()

_frame = contextvars.ContextVar("frame")
# The id and the path of the node that is running.
_node = contextvars.ContextVar("node", default=None)
syla_calls.follow(_plan["server"], lambda: _node.get()[1] if _node.get() is not None else None)
# Sessions and strategies, which are no JSON: what they were made from, by what they are. They live as long as the run.
_opaque = {}


class Paused(BaseException):
    """Somebody has to decide before it goes on."""


class Frame:
    """One time that a graph runs. `path` counts turns, `static` does not."""

    def __init__(self, path, static, parent=None, is_anew=False):
        self.path = path
        self.static = static
        self.parent = parent
        # It failed before: what was made in it then is no reason to fail again.
        self.is_anew = is_anew or (parent is not None and parent.is_anew)
        # Something in it has failed, and what stands for it now may be made the next time.
        self.is_makeshift = False
        self.seen = set()
        self.turns = 0

    def make_shift(self):
        frame = self
        while frame is not None:
            frame.is_makeshift = True
            frame = frame.parent

    def of(self, node):
        """The paths of a node in it."""
        self.seen.add(node)
        return _join(self.path, node), _join(self.static, node)


def _join(path, node):
    return f"{path}/{node}" if path else node


class _Body:
    """A graph from its beginning to its end. What it has not come to then was skipped."""

    def __init__(self, frame):
        self.frame = frame

    def __enter__(self):
        self.token = _frame.set(self.frame)

    def __exit__(self, kind, *_):
        _frame.reset(self.token)
        if kind is None:
            _skip_rest(self.frame)


def _skip_rest(frame):
    children = _nodes[frame.static]["children"] if frame.static else _plan["children"]
    for child in children:
        if child not in frame.seen:
            _tell(_join(frame.path, child), "skipped")


def _tell(path, state, **facts):
    _channel.tell({"path": path, "state": state, "at": round(time.time() * 1000), **facts})


def _describe(value):
    return f"<{type(value).__name__}>"


def _encode(value):
    """JSON of any value, as bytes: what JSON has nothing for is told by its type."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=_describe)
    except (TypeError, ValueError, RecursionError):
        text = json.dumps(repr(value)[:10_000], ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace")


def _is_exact(value):
    """Whether what JSON makes of it is the same again."""
    todo = [value]
    while todo:
        item = todo.pop()
        kind = type(item)
        if kind is dict:
            if any(type(key) is not str for key in item):
                return False
            todo.extend(item.values())
        elif kind is list:
            todo.extend(item)
        elif kind is float:
            if not math.isfinite(item):
                return False
        elif item is not None and kind not in (str, int, bool):
            return False
    return True


def _digest(value):
    """What a value is known by; None for one that cannot be known again."""
    known = _opaque.get(id(value))
    if known is not None:
        return known[1]
    try:
        text = json.dumps(value, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return None
    return hashlib.sha256(text.encode()).hexdigest() if _is_exact(value) else None


def _key(planned, inputs):
    """Equal for nodes that do the same with the same; None when nobody can tell."""
    parts = [planned["key"]]
    for port in sorted(inputs):
        digest = _digest(inputs[port])
        if digest is None:
            return None
        parts.append([port, digest])
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _pin_of(path, static):
    """The outputs that were given for a node: for one turn of it, or for all."""
    return _pins.get(path, _pins.get(static))


class _Visit:
    """One call of a node."""

    def __init__(self, node, args, kwargs):
        self.frame = _frame.get()
        self.path, self.static = self.frame.of(node)
        self.planned = _nodes[self.static]
        on_error = self.planned.get("onError") or {}
        self.attempt = 0
        self.attempts = 1 + on_error.get("retries", 0)
        self.wait = on_error.get("waitSeconds", 0)
        self.fallback = on_error.get("fallback")
        names = self.planned["parameters"]
        self.inputs = dict(zip(self.planned["positional"], args))
        self.inputs.update((names[name], value) for name, value in kwargs.items() if name in names)
        self.key = None
        self.is_done = False

    def ask(self):
        """The result that is known already, in a tuple of one; None: it has to be made."""
        pin = _pin_of(self.path, self.static)
        if pin is not None:
            _tell(self.path, "reused", inputs=_encode(self.inputs), output=_encode(pin), pinned=True)
            return (self.result_of(pin),)
        self.key = _key(self.planned, self.inputs)
        if self.static in _forced or self.frame.is_anew:
            return None
        kept = None if self.key is None else _channel.ask(self.path, self.key)
        if kept is not None:
            outputs = json.loads(kept["output"])
            _tell(self.path, "reused", inputs=_encode(self.inputs), key=self.key, source=kept["source"])
            return (self.result_of(outputs),)
        if self.static in _required:
            error = LookupError(f"no result is kept of the node {self.path}: run what is before it first")
            self.fail(error)
            raise error
        return None

    def outputs_of(self, result):
        ports = self.planned["outputs"]
        if self.planned["kind"] == "map" and len(ports) != 1:
            return {port: [row[index] for row in result] for index, port in enumerate(ports)}
        if len(ports) == 1:
            return {ports[0]: result}
        return dict(zip(ports, result)) if ports else {}

    def result_of(self, outputs):
        ports = self.planned["outputs"]
        if self.planned["kind"] == "map" and len(ports) != 1:
            count = len(outputs[ports[0]]) if ports else len(self.inputs["items"])
            return [tuple(outputs[port][index] for port in ports) if ports else None for index in range(count)]
        if len(ports) == 1:
            return outputs[ports[0]]
        return tuple(outputs[port] for port in ports) if ports else None

    def __enter__(self):
        self.attempt += 1
        _tell(self.path, "running", inputs=_encode(self.inputs))
        self.own = Frame(self.path, self.static, self.frame, self.attempt > 1)
        self.frame_token = _frame.set(self.own)
        self.node_token = _node.set((self.planned["id"], self.path))
        return self

    def done(self, result):
        outputs = self.outputs_of(result)
        is_kept = self.key is not None and not self.own.is_makeshift and _is_exact(outputs)
        key = self.key if is_kept else None
        self.is_done = True
        if self.planned["kind"] == "module":
            _skip_rest(self.own)
        _tell(self.path, "succeeded", output=_encode(outputs), **({} if key is None else {"key": key}))
        return result

    def __exit__(self, kind, error, _):
        """Says how it ended. A failure goes no further where the node is tried again, or something stands for its result."""
        goes_on = self._goes_on(kind)
        if goes_on or (kind is not None and self.attempts > 1 and issubclass(kind, Exception)):
            print(f"Attempt {self.attempt} of {self.attempts} failed: {error!r}", file=sys.stderr)
        _end_output()
        _node.reset(self.node_token)
        _frame.reset(self.frame_token)
        if kind is None or self.is_done or issubclass(kind, Paused):
            return False
        if issubclass(kind, (asyncio.CancelledError, GeneratorExit)):
            _tell(self.path, "cancelled")
            return False
        if goes_on and self.attempt == self.attempts:
            self.frame.make_shift()
            _tell(self.path, "succeeded", output=_encode(self.fallback), error=self._describe(error))
        else:
            self.fail(error)
        return goes_on

    def _goes_on(self, kind):
        if kind is None or self.is_done or not issubclass(kind, Exception):
            return False
        if issubclass(kind, syla_channel.ChannelError):
            return False
        return self.attempt < self.attempts or self.fallback is not None

    def next_wait(self):
        """After a failure: seconds until it is tried again; None: never."""
        if self.attempt == self.attempts:
            return None
        return min(self.wait * 2 ** (self.attempt - 1), LONGEST_WAIT)

    def stand_in(self):
        """What stands for the result that never came."""
        return self.result_of(json.loads(json.dumps(self.fallback)))

    def _describe(self, error):
        inner = getattr(error, "syla_node", None)
        text = str(error)[:4000]
        message = text if inner in (None, self.path) else f"{inner} failed: {text}"
        return {"kind": type(error).__name__[:200], "message": message}

    def fail(self, error):
        _tell(self.path, "failed", error=self._describe(error))
        if getattr(error, "syla_node", None) is None:
            try:
                error.syla_node = self.path
            except AttributeError:
                pass


def call(node, function, /, *args, **kwargs):
    visit = _Visit(node, args, kwargs)
    kept = visit.ask()
    return kept[0] if kept is not None else _make(visit, lambda: function(*args, **kwargs))


async def call_async(node, function, /, *args, **kwargs):
    visit = _Visit(node, args, kwargs)
    kept = await asyncio.to_thread(visit.ask)
    return kept[0] if kept is not None else await _make_async(visit, lambda: function(*args, **kwargs))


async def call_in_thread(node, function, /, *args, **kwargs):
    visit = _Visit(node, args, kwargs)
    kept = await asyncio.to_thread(visit.ask)
    if kept is not None:
        return kept[0]
    return await _make_async(visit, lambda: asyncio.to_thread(function, *args, **kwargs))


def _make(visit, function):
    """The result of a node, as often as it may be tried."""
    while True:
        with visit:
            return visit.done(function())
        wait = visit.next_wait()
        if wait is None:
            return visit.stand_in()
        time.sleep(wait)


async def _make_async(visit, function):
    while True:
        with visit:
            return visit.done(await function())
        wait = visit.next_wait()
        if wait is None:
            return visit.stand_in()
        await asyncio.sleep(wait)


def _values(item, value, others):
    return others if item is None else {item: value, **others}


def _turn_body(frame, index):
    return _Body(Frame(f"{frame.path}[{index}]", frame.static, frame))


def map_items(node, function, item, items, /, **others):
    visit = _Visit(node, (), others)
    visit.inputs["items"] = items
    kept = visit.ask()
    if kept is not None:
        return kept[0]

    def rows():
        made = []
        for index, value in enumerate(items):
            with _turn_body(_frame.get(), index):
                made.append(function(**_values(item, value, others)))
        return made

    return _make(visit, rows)


async def map_async(node, function, item, items, limit, /, **others):
    visit = _Visit(node, (), others)
    visit.inputs["items"] = items
    kept = await asyncio.to_thread(visit.ask)
    if kept is not None:
        return kept[0]

    async def rows():
        frame = _frame.get()
        room = asyncio.Semaphore(limit)

        async def one(index, value):
            async with room:
                with _turn_body(frame, index):
                    return await function(**_values(item, value, others))

        return await gather(*(one(index, value) for index, value in enumerate(items)))

    return await _make_async(visit, rows)


def _next_turn():
    frame = _frame.get()
    frame.turns += 1
    return _turn_body(frame, frame.turns - 1)


def turn(function, /, **values):
    with _next_turn():
        return function(**values)


async def turn_async(function, /, **values):
    with _next_turn():
        return await function(**values)


async def gather(*awaitables):
    """Like that of asyncio; where somebody has to decide, or it may be tried again, what goes on beside it comes to its end first."""

    async def settle(awaitable):
        try:
            return await awaitable
        except Paused as paused:
            return paused

    results = await asyncio.gather(*(settle(each) for each in awaitables), return_exceptions=_settles)
    failures = [result for result in results if isinstance(result, BaseException)]
    for failure in sorted(failures, key=lambda each: not isinstance(each, Paused)):
        raise failure
    return results


def value(node, given, inputs, /):
    """What a node that is a line of the graph's own code has given."""
    path, static = _frame.get().of(node)
    planned = _nodes[static]
    pin = _pin_of(path, static)
    port = planned["outputs"][0]
    if pin is not None:
        given = pin[port]
    if planned["kind"] in ("model", "sampler"):
        _opaque[id(given)] = (given, f"{planned['kind']}:{planned['key']}")
    facts = {"pinned": True} if pin is not None else {}
    _tell(path, "succeeded" if pin is None else "reused", inputs=_encode(inputs), output=_encode({port: given}), **facts)
    return given


def branch(node, condition, given=None, /):
    path, _ = _frame.get().of(node)
    is_taken = bool(condition)
    passed = is_taken if given is None else given
    _tell(
        path,
        "succeeded",
        inputs=_encode({"condition": is_taken, "value": given}),
        output=_encode({"then" if is_taken else "else": passed}),
    )


def output(node, given, /):
    path, _ = _frame.get().of(node)
    _tell(path, "succeeded", inputs=_encode({"value": given}), output=_encode({"value": given}))
    return given


def output_if(node, read, condition, /):
    if condition:
        return output(node, read())
    path, _ = _frame.get().of(node)
    _tell(path, "skipped")
    return None


def approve(node, message, given, /):
    path, static = _frame.get().of(node)
    pin = _pin_of(path, static)
    if pin is not None:
        _tell(path, "reused", inputs=_encode({"value": given}), output=_encode(pin), pinned=True)
        return "approved" in pin
    decision = _channel.approval(path, message, _encode({"value": given}))
    if decision == "waiting":
        raise Paused()
    return decision == "approved"


def _environment_of(program):
    """The variables of this process, with the secrets of one program in place of those of others."""
    others = {variable for module in _modules for variable in _secrets.get(module, {})}
    plain = {name: value for name, value in os.environ.items() if name not in others}
    return {**plain, **_secrets.get(program, {})}


def run_json(command, inputs, program, /):
    """Run a program of the catalog where its files are."""
    completed = subprocess.run(
        command,
        input=json.dumps(inputs, ensure_ascii=False),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
        cwd=_folders.get(program),
        env=_environment_of(program),
    )
    return json.loads(completed.stdout)


def run(function, /, **values):
    """The composition, from its beginning to its end, or to where somebody has to decide."""
    sys.stdout = Tagged(sys.stdout)
    sys.stderr = Tagged(sys.stderr)
    try:
        with _Body(Frame("", "")):
            return asyncio.run(function(**values)) if inspect.iscoroutinefunction(function) else function(**values)
    except Paused:
        sys.stdout.flush()
        sys.stderr.flush()
        _channel.flush()
        # Threads of the program may still go on; nothing comes of them any more.
        os._exit(PAUSED)
    finally:
        _channel.flush()


def finish(outputs):
    text = json.dumps(outputs, ensure_ascii=False, indent=2, default=str)
    if len(text) <= MOST_PRINTED:
        # A half of a character cannot be written, and is the same in JSON as what stands for it.
        print(text.encode("utf-8", "backslashreplace").decode())
    else:
        print(f"The outputs have {len(text)} characters: they are kept with the run's nodes.", file=sys.stderr)


def _end_output():
    """The node has ended: so has its last line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, Tagged):
            stream.end_line()


def _tag(node):
    return f"\033]6277;node={node[0]}\a"


class Tagged(io.TextIOBase):
    """An output whose lines say which node has written them; lines of nodes that run at the same time stay apart."""

    def __init__(self, stream):
        super().__init__()
        self.stream = stream
        self.lock = threading.RLock()
        self.begun = {}

    def write(self, text):
        node = _node.get()
        with self.lock:
            if node is None:
                return self.stream.write(text)
            whole, newline, rest = (self.begun.pop(node, "") + text).rpartition("\n")
            if newline:
                tag = _tag(node)
                self.stream.write("".join(f"{tag}{line}\n" for line in whole.split("\n")))
            if rest:
                self.begun[node] = rest
        return len(text)

    def end_line(self):
        node = _node.get()
        with self.lock:
            rest = self.begun.pop(node, "")
            if rest:
                self.stream.write(f"{_tag(node)}{rest}\n")

    def flush(self):
        with self.lock:
            self.stream.flush()

    def writable(self):
        return True

    def isatty(self):
        return self.stream.isatty()

    def fileno(self):
        return self.stream.fileno()

    @property
    def buffer(self):
        return self.stream.buffer

    @property
    def encoding(self):
        return self.stream.encoding

    @property
    def errors(self):
        return self.stream.errors

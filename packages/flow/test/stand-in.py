"""Runs compiled compositions, one a line, with stand-ins for what would ask a model and for who follows them."""

import asyncio
import collections
import hashlib
import inspect
import io
import json
import os
import pathlib
import re
import sys
import threading
import types

hooks_file = pathlib.Path(__file__).parent.parent / "src/told/syla_hooks.py"
hooks = compile(hooks_file.read_text(), str(hooks_file), "exec")
calls = collections.Counter()
tries = collections.Counter()
lock = threading.Lock()


def flaky(key, failures, value):
    """Fails the first few times."""
    with lock:
        tries[key] += 1
        if tries[key] <= failures:
            raise RuntimeError("not yet")
    return value


def digest(*parts):
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


class Session:
    def instruct(self, description, *, user_variables=None, requirements=None, strategy, **_):
        calls["model"] += 1
        text = digest("instruct", description, user_variables or {}, requirements or [])[:6]
        return text if strategy is not None or not requirements else "no strategy"

    async def ainstruct(self, description, *, await_result=False, strategy, **rest):
        assert await_result or strategy is not None
        await asyncio.sleep(0)
        return self.instruct(description, strategy=strategy, **rest)

    def validate(self, requirement, *, output):
        calls["model"] += 1
        passed = int(digest("requirement", requirement, output)[0], 16) % 2 == 0
        return [types.SimpleNamespace(as_bool=lambda: passed)]

    async def avalidate(self, requirement, *, output):
        return self.validate(requirement, output=output)


def generative(function):
    def answer(session, *, requirements=None, strategy=None, **values):
        assert isinstance(session, Session)
        calls["model"] += 1
        return digest("slot", re.sub(r"_\d+$", "", function.__name__), values)[:6]

    async def answer_later(session, **values):
        await asyncio.sleep(0)
        return answer(session, **values)

    return answer_later if inspect.iscoroutinefunction(function) else answer


def module(name, **content):
    sys.modules[name] = types.ModuleType(name)
    vars(sys.modules[name]).update(content)


strategies = ["RejectionSamplingStrategy", "RepairTemplateStrategy", "MultiTurnStrategy", "MBRDRougeLStrategy"]
for package in ["mellea", "mellea.stdlib", "mellea.stdlib.components"]:
    module(package)
module("mellea.stdlib.session", MelleaSession=Session, start_session=lambda **_: Session())
module("mellea.core", SamplingStrategy=object, ModelOutputThunk=lambda *, value: value)
module("mellea.stdlib.sampling", **{name: lambda **options: options for name in strategies})
module("mellea.stdlib.components.genstub", generative=generative)
module("mellea.stdlib.requirements", req=lambda text: text)
module("mellea.backends")
module("mellea.backends.model_options", ModelOption=types.SimpleNamespace(TEMPERATURE="t", MAX_NEW_TOKENS="n", SEED="s"))


class ChannelError(Exception):
    pass


class Channel:
    """Keeps what it is told, as the server does."""

    def __init__(self, kept, decisions):
        self.kept = kept
        self.decisions = decisions
        self.events = []

    def tell(self, event):
        plain = {name: value.decode() if isinstance(value, bytes) else value for name, value in event.items()}
        self.events.append(plain)
        if plain["state"] == "succeeded" and "key" in plain:
            self.kept[plain["key"]] = plain["output"]

    def ask(self, path, key):
        return {"output": self.kept[key], "source": "run_before"} if key in self.kept else None

    def approval(self, path, message, value):
        return self.decisions.get(path, "waiting")

    def flush(self):
        pass


def run_told(task, kept):
    """Once, with what is kept from before. Nothing of the modules stays."""
    channel = Channel(kept, task["plan"].get("decisions", {}))
    plan = {"server": "http://127.0.0.1:1", **task["plan"]}
    module("syla_channel", read_plan=lambda: plan, open_channel=lambda: channel, ChannelError=ChannelError)
    module("syla_calls", follow=lambda *_: None)
    module("syla_hooks")
    exec(hooks, vars(sys.modules["syla_hooks"]))
    names = {"__name__": "composition", "syla_flaky": flaky}
    exec(compile(task["source"], "composition.py", "exec"), names)
    calls.clear()
    tries.clear()
    streams = sys.stdout, sys.stderr
    printed = sys.stdout = io.StringIO()
    complaints = sys.stderr = io.StringIO()
    # Whoever is to go on later ends its process.
    sys.modules["syla_hooks"].os = types.SimpleNamespace(_exit=sys.exit, environ=os.environ, path=os.path)
    try:
        result = sys.modules["syla_hooks"].run(names[task["name"]], **task["inputs"])
        answer = {"outputs": named(task, result)}
    except BaseException as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    finally:
        sys.stdout, sys.stderr = streams
    return {**answer, "calls": calls["model"], "events": channel.events, "printed": printed.getvalue(), "complaints": complaints.getvalue()}


def named(task, result):
    outputs = task["outputs"]
    return {} if not outputs else {outputs[0]: result} if len(outputs) == 1 else dict(zip(outputs, result, strict=True))


for line in sys.stdin:
    task = json.loads(line)
    if "plan" in task:
        kept = {}
        print(json.dumps({"passes": [run_told(task, kept) for _ in range(task["times"])]}), flush=True)
        continue
    tries.clear()
    streams = sys.stderr
    sys.stderr = io.StringIO()
    try:
        names = {"__name__": "composition", "syla_flaky": flaky}
        exec(compile(task["source"], "composition.py", "exec"), names)
        result = names[task["name"]](**task["inputs"])
        if inspect.iscoroutine(result):
            result = asyncio.run(result)
        answer = {"outputs": named(task, result)}
    except BaseException as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    finally:
        sys.stderr = streams
    print(json.dumps(answer), flush=True)

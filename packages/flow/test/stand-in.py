"""Runs compiled compositions, one a line, with stand-ins for what would ask a model."""

import asyncio
import hashlib
import inspect
import json
import re
import sys
import types


def digest(*parts):
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


class Session:
    def instruct(self, description, *, user_variables=None, requirements=None, strategy, **_):
        text = digest("instruct", description, user_variables or {}, requirements or [])[:6]
        return text if strategy is not None or not requirements else "no strategy"

    async def ainstruct(self, description, *, await_result=False, strategy, **rest):
        assert await_result or strategy is not None
        await asyncio.sleep(0)
        return self.instruct(description, strategy=strategy, **rest)

    def validate(self, requirement, *, output):
        passed = int(digest("requirement", requirement, output)[0], 16) % 2 == 0
        return [types.SimpleNamespace(as_bool=lambda: passed)]

    async def avalidate(self, requirement, *, output):
        return self.validate(requirement, output=output)


def generative(function):
    def answer(session, *, requirements=None, strategy=None, **values):
        assert isinstance(session, Session)
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

for line in sys.stdin:
    task = json.loads(line)
    try:
        names = {"__name__": "composition"}
        exec(compile(task["source"], "composition.py", "exec"), names)
        result = names[task["name"]](**task["inputs"])
        if inspect.iscoroutine(result):
            result = asyncio.run(result)
        outputs = task["outputs"]
        named = {} if not outputs else {outputs[0]: result} if len(outputs) == 1 else dict(zip(outputs, result, strict=True))
        answer = {"outputs": named}
    except BaseException as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)

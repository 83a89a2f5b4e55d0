import type { TestPackage } from "@syla/testkit/package-index";

/** Asks the gateway as mellea does, without being as large. */
const session = `import asyncio
import json
import os
import urllib.request


class MelleaSession:
    def __init__(self, model_id):
        self.model_id = model_id

    def instruct(self, description, *, user_variables=None, requirements=None, strategy=None, **_):
        for name, value in (user_variables or {}).items():
            description = description.replace("{{" + name + "}}", value)
        body = {"model": self.model_id, "messages": [{"role": "user", "content": description}]}
        headers = {"Content-Type": "application/json", "Authorization": "Bearer " + os.environ["OPENAI_API_KEY"]}
        request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", json.dumps(body).encode(), headers)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return json.load(answer)["choices"][0]["message"]["content"]

    async def ainstruct(self, description, **options):
        return await asyncio.to_thread(self.instruct, description, **options)

    def validate(self, requirement, *, output):
        answer = self.instruct(f"Is this true of {output!r}? {requirement}")
        return [Result(answer.lower().startswith("yes"))]

    async def avalidate(self, requirement, *, output):
        return await asyncio.to_thread(self.validate, requirement, output=output)


class Result:
    def __init__(self, passed):
        self.passed = passed

    def as_bool(self):
        return self.passed


def start_session(backend_name="ollama", model_id="granite", **_):
    return MelleaSession(model_id)
`;

/** A function that a model carries out: its documentation and what it is given are the question. */
const genstub = `import asyncio
import inspect


def generative(function):
    def ask(session, *, requirements=None, strategy=None, **values):
        return session.instruct(f"{function.__doc__} {values}")

    async def ask_later(session, **values):
        return await asyncio.to_thread(ask, session, **values)

    return ask_later if inspect.iscoroutinefunction(function) else ask
`;

const core = `SamplingStrategy = object


class ModelOutputThunk:
    def __init__(self, *, value):
        self.value = value

    def __repr__(self):
        return self.value
`;

export const standInMellea: TestPackage = {
  name: "mellea",
  version: "0.8.1",
  files: {
    "mellea/__init__.py": "",
    "mellea/core.py": core,
    "mellea/stdlib/__init__.py": "",
    "mellea/stdlib/requirements.py": "def req(text):\n    return text\n",
    "mellea/stdlib/components/__init__.py": "",
    "mellea/stdlib/components/genstub.py": genstub,
    "mellea/stdlib/session.py": session,
  },
};

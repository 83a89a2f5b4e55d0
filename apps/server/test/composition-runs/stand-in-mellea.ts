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


def start_session(backend_name="ollama", model_id="granite", **_):
    return MelleaSession(model_id)
`;

export const standInMellea: TestPackage = {
  name: "mellea",
  version: "0.8.1",
  files: {
    "mellea/__init__.py": "",
    "mellea/core.py": "SamplingStrategy = object\n",
    "mellea/stdlib/__init__.py": "",
    "mellea/stdlib/session.py": session,
  },
};

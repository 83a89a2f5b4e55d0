/** Programs as people have them; the libraries are those of the package index that this machine's pip is set up with. */

/** One layer for all programs of the test, those of the templates too, for it takes a while to build. mellea brings openai and ollama. */
export const pyproject = `[project]
name = "triage"
version = "1.0.0"
requires-python = ">=3.11"
dependencies = ["mellea>=0.8,<0.9", "matplotlib>=3.9", "anthropic>=1"]
`;

/** Says what its slots and clients answer, then where it finds the words of its arguments. */
export const triage = `"""Sorts letters by how urgent they are."""
import logging, sys
from typing import Literal
from anthropic import Anthropic
from mellea import MelleaLogger, generative, req, simple_validate, start_session
from mellea.stdlib.sampling import RejectionSamplingStrategy
from search import search

@generative
def urgency(letter: str) -> Literal["high", "low"]:
    """Say how urgent a letter is."""

MelleaLogger.get_logger().setLevel(logging.ERROR)
with start_session() as ollama:
    print("slot", urgency(ollama, letter="The house is on fire."))
    print("instruct", ollama.instruct("Greet {{name}}.", user_variables={"name": "Ann"},
        requirements=[req("says hello", validation_fn=simple_validate(lambda text: "hello" in text.lower()))],
        strategy=RejectionSamplingStrategy(loop_budget=3)))
with start_session("openai", "gpt-4o") as openai:
    print("openai", openai.chat("Good evening").content)
letter = [{"role": "user", "content": "Good night"}]
print("anthropic", Anthropic().messages.create(model="claude", max_tokens=100, messages=letter).content[0].text)
for word, place in search(sys.argv[1:]):
    print("FOUND", word, place)
print("searched")
`;

/** Everything that a program can get at. What is looked for comes backwards: arguments are searched as well. */
export const search = `import os

def search(words):
    for place, content in everything():
        for word in words:
            if word[::-1].encode() in content:
                yield word, place

def everything():
    yield "os.environ", repr(dict(os.environ)).encode()
    for root, folders, files in os.walk("/"):
        folders[:] = [name for name in folders if os.path.join(root, name) not in ("/usr", "/lib", "/lib64", "/sys")]
        for name in files:
            path = os.path.join(root, name)
            if root.startswith("/proc") and name not in ("environ", "cmdline", "comm", "mounts", "mountinfo", "status", "maps"):
                continue
            try:
                if os.path.isfile(path):
                    with open(path, "rb") as file:
                        yield path, file.read(64 << 20)
            except OSError:
                pass
`;

const show = `def show(name, pieces):
    pieces = [piece for piece in pieces if piece]
    print(name, "in pieces" if len(pieces) > 1 else "in one", "".join(pieces), flush=True)

hello = [{"role": "user", "content": "Hello"}]
`;

/** The libraries as they come from their vendors, streaming, and nothing said of where models are. */
export const clients = `import asyncio, logging
import anthropic, mellea, ollama, openai
from mellea import ModelOption
${show}
show("openai", (part.choices[0].delta.content for part in
    openai.OpenAI().chat.completions.create(model="gpt-4o", messages=hello, stream=True) if part.choices))
show("responses", (event.delta for event in
    openai.OpenAI().responses.create(model="gpt-4o", input="Hello", stream=True) if event.type == "response.output_text.delta"))

async def from_openai():
    stream = await openai.AsyncOpenAI().chat.completions.create(model="gpt-4o", messages=hello, stream=True)
    return [part.choices[0].delta.content async for part in stream if part.choices]
show("async openai", asyncio.run(from_openai()))

with anthropic.Anthropic().messages.stream(model="claude", max_tokens=100, messages=hello) as stream:
    show("anthropic", list(stream.text_stream))
show("ollama", (part.message.content for part in ollama.chat(model="granite4:micro", messages=hello, stream=True)))
show("generate", (part.response for part in ollama.generate(model="granite4:micro", prompt="Hello", stream=True)))

mellea.MelleaLogger.get_logger().setLevel(logging.ERROR)
async def from_mellea(*words):
    with mellea.start_session(*words) as session:
        answer = await session.ainstruct("Hello", strategy=None, model_options={ModelOption.STREAM: True})
        pieces = []
        while not answer.is_computed():
            pieces.append(await answer.astream())
        return pieces
show("mellea", asyncio.run(from_mellea()))
show("mellea openai", asyncio.run(from_mellea("openai", "gpt-4o")))
`;

export const clientNames = ["openai", "responses", "async openai", "anthropic", "ollama", "generate", "mellea", "mellea openai"];

/** With the prefixes by which it tells providers apart. */
export const litellm = `import litellm
${show}
for model in ["openai/gpt-4o", "anthropic/claude-sonnet-4-5", "ollama_chat/granite4:micro"]:
    answer = litellm.completion(model=model, messages=hello, stream=True)
    show(model, (part.choices[0].delta.content for part in answer))
`;

export const litellmNames = ["openai/gpt-4o", "anthropic/claude-sonnet-4-5", "ollama_chat/granite4:micro"];

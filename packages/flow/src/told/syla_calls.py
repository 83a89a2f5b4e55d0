"""Has calls of models say which node of the composition makes them.

Nodes run at the same time in one process and share their sessions: whose a request is, is known where it is sent. Requests of this process say it in a
header; processes that a node starts get addresses of their own. What a node does in threads that it starts itself is of no node.
"""

import functools
import http.client
import importlib.abc
import os
import subprocess
import sys
import urllib.parse

HEADER = "x-syla-node"
# Newer clients of OpenAI and Anthropic have the second one, which is used like the first.
HTTPX = ("httpx", "httpx2")
# Where clients look for their models.
ADDRESSES = ("OPENAI_BASE_URL", "OPENAI_API_BASE", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE", "OLLAMA_HOST", "OLLAMA_API_BASE")


def follow(server, path_of_node):
    """From now on calls of the models at `server` say the path that is answered where they are made, unless it is None."""
    address = urllib.parse.urlsplit(server)

    def path_for(host, port):
        is_there = host in (address.hostname, "localhost") and port == address.port
        return path_of_node() if is_there else None

    _follow_connections(path_for)
    _follow_processes(server, path_of_node)
    sys.meta_path.insert(0, _WhenImported(HTTPX, lambda module: _follow_httpx(module, path_for)))


def _follow_connections(path_for):
    """Clients of the standard library, and those that build on it: urllib, requests."""
    begin = http.client.HTTPConnection.putrequest

    @functools.wraps(begin)
    def putrequest(self, method, url, *args, **kwargs):
        begin(self, method, url, *args, **kwargs)
        # What goes through a proxy is for somebody else, though the proxy is at the same address.
        if url.startswith("/") and getattr(self, "_tunnel_host", None) is None:
            path = path_for(self.host, self.port)
            if path is not None:
                self.putheader(HEADER, path)

    http.client.HTTPConnection.putrequest = putrequest


def _follow_httpx(module, path_for):
    """The clients of OpenAI, Anthropic, Ollama and LiteLLM, and with them the sessions of Mellea."""
    send, send_async = module.Client.send, module.AsyncClient.send

    def note(request):
        path = path_for(request.url.host, request.url.port)
        if path is not None:
            request.headers[HEADER] = path

    @functools.wraps(send)
    def send_noted(self, request, *args, **kwargs):
        note(request)
        return send(self, request, *args, **kwargs)

    @functools.wraps(send_async)
    async def send_noted_async(self, request, *args, **kwargs):
        note(request)
        return await send_async(self, request, *args, **kwargs)

    module.Client.send = send_noted
    module.AsyncClient.send = send_noted_async


def _follow_processes(server, path_of_node):
    """Whatever they are written in."""
    begin = subprocess.Popen.__init__

    @functools.wraps(begin)
    def start(self, *args, **kwargs):
        path = path_of_node()
        if path is not None and len(args) < 11:
            kwargs["env"] = _environment(kwargs.get("env"), server, path)
        begin(self, *args, **kwargs)

    subprocess.Popen.__init__ = start


def _environment(given, server, path):
    own = server + "/syla/v1/of/" + path.replace("/", ".").replace("[", ":").replace("]", "")
    env = dict(os.environ if given is None else given)
    for name in ADDRESSES:
        value = env.get(name)
        if isinstance(value, str) and (value == server or value.startswith(server + "/v1")):
            env[name] = own + value[len(server) :]
    return env


class _WhenImported(importlib.abc.MetaPathFinder):
    """Has modules changed as soon as somebody has imported them."""

    def __init__(self, names, change):
        self.names = names
        self.change = change

    def find_spec(self, name, path=None, target=None):
        if name not in self.names:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                self._follow(spec.loader)
                return spec
        return None

    def _follow(self, loader):
        execute = loader.exec_module

        def exec_module(module):
            execute(module)
            self.change(module)

        loader.exec_module = exec_module

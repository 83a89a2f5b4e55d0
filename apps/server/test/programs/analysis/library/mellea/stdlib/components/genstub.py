"""The part of the library that says what may be a slot."""

import functools
import inspect

_RESERVED = {
    "f_args", "f_kwargs", "m", "context", "backend", "model_options", "strategy", "precondition_requirements", "requirements",
}


class GenerativeStub:
    def __init__(self, func):
        names = inspect.signature(func).parameters
        if any(name in names for name in _RESERVED):
            raise ValueError("reserved argument name")
        functools.update_wrapper(self, func)


class SyncGenerativeStub(GenerativeStub): ...


class AsyncGenerativeStub(GenerativeStub): ...


def generative(func):
    return AsyncGenerativeStub(func) if inspect.iscoroutinefunction(func) else SyncGenerativeStub(func)


__all__ = ["generative"]

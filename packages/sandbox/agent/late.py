"""For an interpreter that has just been woken up, and will soon sleep again or end: most of what the agent's modules import is not used any
more, or seldom, and takes longer to import than everything that is to be done."""

import sys

STAND_INS = {"collections": "_collections", "signal": "_signal"}  # what is used of them is theirs
# Imported when it is used. Of the last three nothing is: a program has begun, and one that gives its files back does not sleep.
NAMES = ("json", "random", "resource", "socket", "traceback", "intake", "payload", "returns")


stand_ins = []


class Late:
    """In place of a module that has not been imported yet."""

    __spec__ = None  # what an import statement looks at

    def __init__(self, name):
        self.name = name

    def __getattr__(self, key):
        for name in (self.name, *STAND_INS):
            if sys.modules.get(name) in (self, *stand_ins):
                del sys.modules[name]  # what is imported now may need more of it
        __import__(self.name)
        return getattr(sys.modules[self.name], key)


def install():
    for name, stand_in in STAND_INS.items():
        if name not in sys.modules:
            sys.modules[name] = __import__(stand_in)
            stand_ins.append(sys.modules[name])
    for name in NAMES:
        if name not in sys.modules:
            sys.modules[name] = Late(name)

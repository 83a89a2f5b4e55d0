"""An interpreter that cannot be forked, booted ahead in its finished sandbox: used once, and told over a pipe what to run.

The payload becomes that interpreter before anything of a run is known. When the interpreter has booted it says so; init puts the run's
files in place, sets its limits, and writes arguments and variables. No byte of a run is ever in a process that serves another one.
"""

import os
import signal

import payload


def become(boot):
    """Turns into the interpreter, `boot` = {argv, env}. It has the report pipe, over which it says that it has booted, and the start pipe,
    on which it gets JSON {argv, env, file} until the end of the stream. Never returns."""
    for descriptor in (payload.REPORT_FD, payload.START_FD):
        os.set_inheritable(descriptor, True)
    os.umask(0o022)
    os.chdir("/")
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    os.execve(boot["argv"][0], boot["argv"], boot["env"])

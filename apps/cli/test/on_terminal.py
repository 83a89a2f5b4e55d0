"""Runs a command on a terminal of its own. Usage: on_terminal.py ROWS COLUMNS COMMAND...

What it writes goes to stdout. Each line on stdin is a JSON document: {"write": "text"}, {"size": [rows, columns]} or {"signal": number}.
Exits as the command does; with 128 and the number of the signal that ended it.
"""

import fcntl, json, os, pty, select, signal, struct, sys, termios


def set_size(terminal, rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


rows, columns = int(sys.argv[1]), int(sys.argv[2])
child, terminal = pty.fork()
if child == 0:
    set_size(0, rows, columns)
    os.execvp(sys.argv[3], sys.argv[3:])
rest, wanted = b"", [terminal, 0]
while True:
    ready, _, _ = select.select(wanted, [], [])
    if terminal in ready:
        try:
            data = os.read(terminal, 65536)
        except OSError:
            data = b""
        if not data:
            break
        os.write(1, data)
    if 0 in ready:
        data = os.read(0, 65536)
        if not data:
            wanted = [terminal]
            os.kill(child, signal.SIGHUP)
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            wish = json.loads(line)
            if "write" in wish:
                os.write(terminal, wish["write"].encode())
            if "size" in wish:
                set_size(terminal, *wish["size"])
            if "signal" in wish:
                os.kill(child, wish["signal"])
_, status = os.waitpid(child, 0)
code = os.waitstatus_to_exitcode(status)
sys.exit(code if code >= 0 else 128 - code)

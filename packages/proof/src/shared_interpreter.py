"""Runs a service's commands and servers in forks of the interpreter that has imported its packages.

A start of an emulated interpreter and the imports of a server take several seconds; a fork has them already. Whatever does
not succeed here is run again in a process of its own, which tells why: a failure here is never the last word.
"""

import os
import select
import signal
import socket
import sys
import time
import types

RETRY = 0.2
ANSWER = 10
# Where a datagram socket finds this machine's own address. Nothing is sent: RFC 5737.
NOWHERE = ("192.0.2.1", 9)


class State:
    """What a program finds at its start, and what imports may change."""

    def __init__(self):
        self.environ = dict(os.environ)
        self.folder = os.getcwd()
        self.path = list(sys.path)
        self.bytecode = sys.dont_write_bytecode
        self.signals = {number: signal.getsignal(number) for number in signal.valid_signals()}

    def restore(self):
        os.environ.clear()
        os.environ.update(self.environ)
        os.chdir(self.folder)
        sys.path[:] = self.path
        sys.dont_write_bytecode = self.bytecode
        for number, handler in self.signals.items():
            if handler is not None and signal.getsignal(number) != handler:
                signal.signal(number, handler)


def is_this_interpreter(path):
    """Whether it is the interpreter of this virtual environment, by one of its names."""
    own = os.path.dirname(os.path.abspath(sys.executable))
    same = os.path.dirname(os.path.abspath(path)) == own and os.path.basename(path).startswith("python")
    return same and os.path.realpath(path) == os.path.realpath(sys.executable)


def find(program, environ):
    if "/" in program:
        return program
    for folder in environ.get("PATH", "").split(":"):
        path = os.path.join(folder, program)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None


def resolve(command, environ):
    """("script", path, arguments) or ("module", name, arguments) of a Python program, or None."""
    path = find(command[0], environ)
    if path is None:
        return None
    if is_this_interpreter(path):
        if len(command) > 2 and command[1] == "-m":
            return "module", command[2], command[3:]
        if len(command) > 1 and not command[1].startswith("-"):
            return "script", command[1], command[2:]
        return None
    try:
        with open(path, "rb") as file:
            first = file.readline(512)
    except OSError:
        return None
    if not first.startswith(b"#!"):
        return None
    # A line with an option of the interpreter is none of its names.
    if not is_this_interpreter(os.fsdecode(first[2:].strip())):
        return None
    return "script", path, command[1:]


def set_first_path(folder):
    # PYTHONSAFEPATH: no folder of a program is searched.
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = folder


def become(program):
    """Runs a program as the interpreter does."""
    kind, name, arguments = program
    if kind == "module":
        import runpy

        sys.argv = [name, *arguments]
        set_first_path(os.getcwd())
        runpy.run_module(name, run_name="__main__", alter_sys=True)
        return
    sys.argv = [name, *arguments]
    set_first_path(os.path.dirname(os.path.realpath(name)))
    main = types.ModuleType("__main__")
    main.__file__ = name
    main.__builtins__ = __builtins__
    sys.modules["__main__"] = main
    with open(name, "rb") as file:
        code = compile(file.read(), name, "exec")
    exec(code, main.__dict__)


def start(program, state):
    """Forks a child that runs a program; what it prints is dropped."""
    child = os.fork()
    if child != 0:
        return child
    code = 1
    try:
        state.restore()
        try:
            become(program)
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        import atexit
        import threading

        threading._shutdown()
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except BaseException:
        code = code or 1
    finally:
        os._exit(code & 255)


def ended(child):
    """The wait status of a child that ended, or None while it runs."""
    process, status = os.waitpid(child, os.WNOHANG)
    return None if process == 0 else status


def own_address():
    """An address by which others reach this machine: a server that listens to itself alone fails."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(NOWHERE)
            return probe.getsockname()[0]
        except OSError:
            return "127.0.0.1"


def request(address, port, path):
    """The status of the response, or None."""
    try:
        with socket.create_connection((address, port), timeout=ANSWER) as connection:
            connection.sendall(
                f"GET {path} HTTP/1.1\r\nHost: service:{port}\r\nAccept: */*\r\nConnection: close\r\n\r\n".encode()
            )
            answer = b""
            while b"\r\n" not in answer:
                chunk = connection.recv(4096)
                if not chunk:
                    return None
                answer += chunk
            version, status = answer.split(None, 2)[:2]
            while connection.recv(65536):
                pass
            return int(status) if version.startswith(b"HTTP/1.") else None
    except (OSError, ValueError):
        return None


def stop(child):
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def run_command(program, state, seconds):
    """Whether a command ends with code 0 in time."""
    child = start(program, state)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        status = ended(child)
        if status is not None:
            return status == 0
        select.select([], [], [], 0.05)
    stop(child)
    return False


def run_servers(programs, requests, state, seconds):
    """Whether all requests get the expected status while all servers run."""
    running = [start(program, state) for program in programs]
    deadline = time.monotonic() + seconds
    address = own_address()
    left = list(requests)
    while left and len(running) == len(programs) and time.monotonic() < deadline:
        left = [each for each in left if request(address, each["port"], each["path"]) != each["status"]]
        running = [child for child in running if ended(child) is None]
        if left:
            select.select([], [], [], RETRY)
    for child in running:
        stop(child)
    return not left and len(running) == len(programs)


def share(options, state):
    """Runs commands and servers: {"commands": [whether each succeeded], "servers": whether all did}."""
    commands = [resolve(command, state.environ) for command in options["commands"]]
    servers = [resolve(command, state.environ) for command in options["servers"]]
    import threading

    # A fork has none of the other threads.
    can_fork = threading.active_count() == 1
    seconds = options["seconds"]
    return {
        "commands": [can_fork and program is not None and run_command(program, state, seconds) for program in commands],
        "servers": can_fork
        and bool(servers)
        and None not in servers
        and run_servers(servers, options["requests"], state, seconds),
    }

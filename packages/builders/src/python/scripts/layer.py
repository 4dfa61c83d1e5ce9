"""Bytecode and file times of a layer of Python files."""

import os
import subprocess
import sys


def compile_bytecode(root, path):
    """
    Compiles bytecode that is never checked against file times. `path` is where root will be in the image, because
    tracebacks name it. Failures are ignored: packages ship .py templates that are not valid Python.
    """
    command = [sys.executable, "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([*command, "-s", root, "-p", path, root], stdout=subprocess.DEVNULL)


def set_times(root, time):
    """Sets one time (seconds since 1970) on every entry; on links themselves, not on their targets."""
    for folder, directories, files in os.walk(root):
        for name in directories + files:
            os.utime(os.path.join(folder, name), (time, time), follow_symlinks=False)
    os.utime(root, (time, time))

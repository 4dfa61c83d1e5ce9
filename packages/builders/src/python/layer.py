"""What every layer of Python files gets: bytecode, and one time for every entry."""

import os
import subprocess
import sys


def compile_bytecode(root, path):
    """
    Bytecode that is never checked against a file time; `path` is where root will be in the image, as tracebacks name
    it. Packages ship templates that are no Python: tolerated.
    """
    command = [sys.executable, "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([*command, "-s", root, "-p", path, root], stdout=subprocess.DEVNULL)


def stamp(root, time):
    """One time (seconds since 1970) for every entry; a link's own, not its target's."""
    for folder, directories, files in os.walk(root):
        for name in directories + files:
            os.utime(os.path.join(folder, name), (time, time), follow_symlinks=False)
    os.utime(root, (time, time))

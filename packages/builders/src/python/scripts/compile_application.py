"""Compiles the application to bytecode and sets one time on its files.

usage: compile_application.py ROOT TIME   (TIME: seconds since 1970)
"""

import sys

from layer import compile_bytecode, set_times

root, time = sys.argv[1:]
compile_bytecode(root, root)
set_times(root, int(time))

"""Compiles and stamps the application. usage: application.py ROOT TIME  (TIME: seconds since 1970)"""

import sys

from layer import compile_bytecode, stamp

root, time = sys.argv[1:]
compile_bytecode(root, root)
stamp(root, int(time))

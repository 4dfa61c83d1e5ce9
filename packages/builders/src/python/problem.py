"""What went wrong, told so that the pipeline can pass it on as one message with its remedy."""

import json
import sys


class Problem(Exception):
    """A foreseen failure; `code` is one of the product's error codes."""

    def __init__(self, code, what, where=None, remedy=None):
        super().__init__(what)
        self.told = {"code": code, "what": what, "where": where, "remedy": remedy}


def telling(main):
    """Runs main; a problem ends the program with one line that the pipeline reads."""
    try:
        main()
    except Problem as problem:
        sys.stderr.write(f"tgo-problem: {json.dumps(problem.told)}\n")
        sys.exit(1)


def last_lines(text, count=12):
    """The end of what a tool printed, indented."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return "\n".join(f"  | {line}" for line in lines[-count:])

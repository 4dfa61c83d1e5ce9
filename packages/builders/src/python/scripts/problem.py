"""Expected failures, reported so that the pipeline can show one message with its remedy."""

import json
import sys


class Problem(Exception):
    """An expected failure; `code` is one of the product's error codes."""

    def __init__(self, code, what, where=None, remedy=None):
        super().__init__(what)
        self.details = {"code": code, "what": what, "where": where, "remedy": remedy}


def report_problems(main):
    """Runs main; a Problem ends the program with one line on stderr, which program-error.ts parses."""
    try:
        main()
    except Problem as problem:
        sys.stderr.write(f"tgo-problem: {json.dumps(problem.details)}\n")
        sys.exit(1)


def last_lines(text, count=12):
    """The end of what a tool printed, indented."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return "\n".join(f"  | {line}" for line in lines[-count:])

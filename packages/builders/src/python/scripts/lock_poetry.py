"""poetry.lock, exported by Poetry itself. Run by the interpreter that Poetry is installed for."""

import os
import subprocess
import sys

from project import read_toml, require_groups, require_python, split_options, table
from problem import Problem, last_lines


def allows(text, version):
    from poetry.core.constraints.version import Version, parse_constraint

    return parse_constraint(text).allows(Version.parse(version))


def export(project, lock, groups):
    read_toml(lock)
    poetry = table(project, "tool", "poetry")
    known = [*table(poetry, "group"), *table(project, "dependency-groups")]
    require_groups(groups, known + (["dev"] if "dev-dependencies" in poetry else []))
    python = table(poetry, "dependencies").get("python", table(project, "project").get("requires-python"))
    require_python(python, allows)
    command = [sys.executable, "-m", "poetry", "export", "--no-interaction", "--no-ansi", "--only", ",".join(groups)]
    # A configuration directory of its own: the user's settings must not change the export.
    environment = {**os.environ, "POETRY_CONFIG_DIR": "/tmp/poetry", "POETRY_VIRTUALENVS_CREATE": "false"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode == 0:
        return split_options(done.stdout)
    output = done.stderr + done.stdout
    if "changed significantly" in output or "is not up to date" in output:
        what, remedy = "it does not match pyproject.toml", "Run poetry lock in the service's folder and commit it."
    else:
        what, remedy = "Poetry cannot export it", "Run poetry check --lock in the service's folder."
    raise Problem("SOURCE", f"{what}\n{last_lines(output)}", lock, remedy)

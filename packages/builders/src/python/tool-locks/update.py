"""Pins the tools that Python builds use, by hash: writes the *.ts files beside this one from what the index has now.

usage: python3 update.py   (needs uv, and Python 3.11 or later)
Hashes are those of wheels for Linux on both machines, so that the files stay small.
"""

import os
import re
import subprocess
import tempfile
import tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
OLDEST_PYTHON = "3.10"
TOOLS = {
    "uv": ("UV", "The installer.", "uv==0.13.9"),
    "programs": ("PROGRAMS", "What our own programs import.", "packaging\nrequests\ntomli; python_version < '3.11'"),
    "poetry": ("POETRY", "Poetry and its exporter.", "poetry==2.2.1\npoetry-plugin-export==1.10.1"),
}
# setuptools 81 and later lack pkg_resources, which older packages import while they are built.
BACKENDS = """setuptools<81 wheel<0.46 poetry-core hatchling hatch-vcs hatch-fancy-pypi-readme flit-core pdm-backend
setuptools-scm cython cffi scikit-build-core meson-python maturin pybind11 uv-build pbr numpy"""
FOREIGN = r"(win32|win_amd64|win_arm64|macosx|musllinux|i686|ppc64|s390x|armv7|riscv64|loongarch|-pp3|graalpy|-cp3[789]-cp|cp31\dt-)"
CASE = """/** {title} Written by update.py. */
export const {constant} = `\\
{text}`;
"""


def compiled(requirements):
    with tempfile.TemporaryDirectory() as folder:
        lock = os.path.join(folder, "pylock.toml")
        command = ["uv", "pip", "compile", "--quiet", "--no-config", "--universal", "--generate-hashes"]
        command += ["--python-version", OLDEST_PYTHON, "--format", "pylock.toml", "--output-file", lock, "-"]
        subprocess.run(command, input=requirements, text=True, check=True, stdout=subprocess.DEVNULL)
        with open(lock, "rb") as file:
            return tomllib.load(file)["packages"]


def is_linux(package):
    return not re.search(r"sys_platform == '(win32|darwin)'|os_name == 'nt'", package.get("marker", "")) or re.search(
        r"sys_platform == 'linux'", package["marker"]
    )


def line(package, hashes):
    marker = f" ; {package['marker']}" if "marker" in package else ""
    text = f"{package['name']}=={package['version']}{marker}"
    if not hashes:
        return text + "\n"
    wheels = [wheel for wheel in package["wheels"] if not re.search(FOREIGN, wheel["url"].rsplit("/", 1)[1])]
    return " ".join([text, *(f"--hash=sha256:{wheel['hashes']['sha256']}" for wheel in wheels)]) + "\n"


def write(name, constant, title, packages, hashes=True):
    text = "".join(line(package, hashes) for package in packages if is_linux(package))
    with open(os.path.join(HERE, f"{name}.ts"), "w") as file:
        file.write(CASE.format(title=title, constant=constant, text=text))


for name, (constant, title, requirements) in TOOLS.items():
    write(name, constant, title, compiled(requirements + "\n"))
backends = compiled("\n".join(BACKENDS.split()) + "\n")
write("backends", "BACKENDS", "Versions of build backends, for packages built from source.", backends, hashes=False)

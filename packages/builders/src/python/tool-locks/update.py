"""Locks the tools that Python builds use: writes the *.txt files next to this one from the current state of the index.

usage: python3 update.py   (requires uv, and Python 3.11 or later)
To keep the files small, only hashes of wheels for Linux (glibc) on x86_64 and aarch64 are included.
"""

import os
import re
import subprocess
import tempfile
import tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
OLDEST_PYTHON = "3.10"
TOOLS = {
    # The installer.
    "uv": "uv==0.13.9",
    # The packages that our own programs import.
    "programs": "packaging\nrequests\ntomli; python_version < '3.11'",
    # Poetry and its exporter.
    "poetry": "poetry==2.2.1\npoetry-plugin-export==1.10.1",
}
# Build backends, for packages that are built from source.
# setuptools 81 and later lack pkg_resources, which older packages import during their build.
BACKENDS = """setuptools<81 wheel<0.46 poetry-core hatchling hatch-vcs hatch-fancy-pypi-readme flit-core pdm-backend
setuptools-scm cython cffi scikit-build-core meson-python maturin pybind11 uv-build pbr numpy"""
FOREIGN = r"""(?x) win32 | win_amd64 | win_arm64 | macosx | ios_ | android_ | wasm32 | musllinux | i686 | ppc64 | s390x | armv7
| riscv64 | loongarch | -pp3 | graalpy | -cp3[789]-cp | cp31\dt-"""
# True on every supported Python, so it is omitted.
ALWAYS_TRUE = f"python_full_version >= '{OLDEST_PYTHON}'"


def lock(requirements):
    """The packages of a universal lock of the requirements, as in pylock.toml (PEP 751)."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "pylock.toml")
        command = ["uv", "pip", "compile", "--quiet", "--no-config", "--universal", "--generate-hashes"]
        command += ["--python-version", OLDEST_PYTHON, "--format", "pylock.toml", "--output-file", path, "-"]
        subprocess.run(command, input=requirements, text=True, check=True, stdout=subprocess.DEVNULL)
        with open(path, "rb") as file:
            return tomllib.load(file)["packages"]


def is_linux(package):
    return not re.search(r"sys_platform == '(win32|darwin)'|os_name == 'nt'", package.get("marker", "")) or re.search(
        r"sys_platform == 'linux'", package["marker"]
    )


def line(package, hashes):
    marker = package.get("marker", "").replace(f"{ALWAYS_TRUE} and ", "").replace(ALWAYS_TRUE, "")
    text = f"{package['name']}=={package['version']}{marker and f' ; {marker}'}"
    if not hashes:
        return text + "\n"
    wheels = [wheel for wheel in package["wheels"] if not re.search(FOREIGN, wheel["url"].rsplit("/", 1)[1])]
    return " ".join([text, *(f"--hash=sha256:{wheel['hashes']['sha256']}" for wheel in wheels)]) + "\n"


def write(name, packages, hashes=True):
    with open(os.path.join(HERE, f"{name}.txt"), "w") as file:
        file.writelines(line(package, hashes) for package in packages if is_linux(package))


for name, requirements in TOOLS.items():
    write(name, lock(requirements + "\n"))
write("backends", lock("\n".join(BACKENDS.split()) + "\n"), hashes=False)

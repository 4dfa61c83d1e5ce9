/** What Python calls these machines in the names of extension modules; others are not judged by name. */
const MACHINES: Readonly<Record<string, number>> = { x86_64: 62, aarch64: 183, i386: 3 };

/**
 * The machine in the name of a Python extension module, e.g. x86_64 of `fast.cpython-311-x86_64-linux-gnu.so`.
 * Python only considers files with its own suffix: a module named for another machine is skipped silently, and a
 * slower pure-Python twin, or nothing, takes its place.
 * @see https://peps.python.org/pep-3149/ and `importlib.machinery.EXTENSION_SUFFIXES`
 */
export function extensionMachine(
  path: string,
): { readonly name: string; readonly machine: number } | undefined {
  const name =
    /\.(?:cpython|pypy|graalpy)[^/.]*-([a-z0-9_]+)-linux-(?:gnu|musl)[a-z0-9_]*\.so$/.exec(path)?.[1] ?? "";
  const machine = MACHINES[name];
  return machine === undefined ? undefined : { name, machine };
}

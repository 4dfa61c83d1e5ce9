/**
 * The machine in the name of a Python extension module, e.g. x86_64 of `fast.cpython-311-x86_64-linux-gnu.so`.
 * Python only considers files whose suffix is its own: one named for another machine is passed over in silence, and
 * a slower pure-Python twin, or nothing, takes its place.
 * @see https://peps.python.org/pep-3149/ and `importlib.machinery.EXTENSION_SUFFIXES`
 */
export function extensionMachine(path: string): string | undefined {
  return /\.(?:cpython|pypy|graalpy)[^/.]*-([a-z0-9_]+)-linux-(?:gnu|musl)[a-z0-9_]*\.so$/.exec(path)?.[1];
}

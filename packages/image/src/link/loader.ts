import type { ElfFacts } from "../elf/elf-facts.js";
import { readLoaderCache, readMuslPath } from "./loader-files.js";
import { directoryOf, nameOf, type LinkTree, type Paths } from "./link-tree.js";

/** A file in a process. */
export interface LoadedObject {
  /** Where it was found: `$ORIGIN` is its directory. */
  readonly location: string;
  /** The same without symbolic links. */
  readonly path: string;
  readonly facts: ElfFacts;
  /** What needs it, or undefined for what the process began with. */
  readonly loader?: LoadedObject;
}

/** A program's loader. */
export interface Loader {
  readonly libc: "glibc" | "musl";
  /** Its own file, which is in every process. */
  readonly path: string;
  readonly facts: ElfFacts;
  /** Whether a name is the C library itself, without a look at the file system. */
  provides(name: string): boolean;
  /**
   * The directories in which it looks for what an object needs, in order; a library's path for those that its cache
   * names.
   * @param main the program
   */
  search(name: string, object: LoadedObject, main: LoadedObject | undefined): Iterable<Candidate>;
}

export type Candidate = { readonly directory: string } | { readonly path: string };

export interface LoaderOptions {
  readonly tree: LinkTree;
  readonly paths: Paths;
  /** LD_LIBRARY_PATH of the image. */
  readonly libraryPath: string;
}

/** Directories of one RPATH that are looked at. */
const MAX_DIRECTORIES = 200;

/** The loader with this file, or undefined for one whose rules are not known. */
export function loaderAt(path: string, facts: ElfFacts, options: LoaderOptions): Loader | undefined {
  // glibc's loader defines the versions of the symbols that libc needs of it.
  if (facts.versionsDefined?.some((version) => version.startsWith("GLIBC_")) === true)
    return glibc(path, facts, options);
  // musl's is libc itself. gcompat's runs it under glibc's name.
  const isMusl = [nameOf(path), facts.soname ?? ""].some((name) => /musl|^libc\.so$/.test(name));
  const isGcompat = nameOf(path).startsWith("ld-linux") && facts.versionsDefined === undefined;
  return isMusl || isGcompat ? musl(path, facts, options, isGcompat) : undefined;
}

/** @see https://man7.org/linux/man-pages/man8/ld.so.8.html and glibc, elf/dl-load.c, _dl_map_object */
function glibc(path: string, facts: ElfFacts, { tree, paths, libraryPath }: LoaderOptions): Loader {
  const { directories, prefix, lib } = systemDirectories(path, facts);
  const cache = cacheOf(tree, paths, prefix);
  const expand = (list: string, object: LoadedObject): string[] =>
    directoriesOf(list, object, { LIB: lib, PLATFORM: PLATFORMS[facts.machine] ?? "" });
  const environment = memoize((object: LoadedObject) => expand(libraryPath, object));
  const rpath = memoize((object: LoadedObject) =>
    // RUNPATH makes the loader ignore the same file's RPATH.
    object.facts.runpath === undefined ? expand(object.facts.rpath ?? "", object) : [],
  );
  const runpath = memoize((object: LoadedObject) => expand(object.facts.runpath ?? "", object));
  return {
    libc: "glibc",
    path,
    facts,
    provides: (name) => name === nameOf(path) || name === facts.soname,
    *search(name, object, main) {
      if (object.facts.runpath === undefined) {
        let sawMain = false;
        for (let at: LoadedObject | undefined = object; at !== undefined; at = at.loader) {
          sawMain ||= at === main;
          yield* inDirectories(rpath(at));
        }
        if (!sawMain && main !== undefined) yield* inDirectories(rpath(main));
      }
      yield* inDirectories(environment(main ?? object));
      yield* inDirectories(runpath(object));
      const isDefault = object.facts.noDefaultLibraries !== true;
      for (const cached of cache.get(name) ?? [])
        if (isDefault || !directories.includes(directoryOf(cached))) yield { path: cached };
      if (isDefault) yield* inDirectories(directories);
    },
  };
}

/** @see https://git.musl-libc.org/cgit/musl/tree/ldso/dynlink.c, load_library */
function musl(
  path: string,
  facts: ElfFacts,
  { tree, paths, libraryPath }: LoaderOptions,
  isGcompat: boolean,
): Loader {
  const own = isGcompat ? [...tree.elf.keys()].find((name) => MUSL_LOADER.test(name)) : path;
  const architecture = MUSL_LOADER.exec(own ?? "")?.[1] ?? "";
  const list = paths.real(`/etc/ld-musl-${architecture}.path`);
  const text = list && tree.loaderFile(list);
  const system =
    text === undefined || text === ""
      ? ["/lib", "/usr/local/lib", "/usr/lib"]
      : readMuslPath(Buffer.from(text).toString("utf8"));
  const environment = readMuslPath(libraryPath);
  // RPATH and RUNPATH are the same to musl, and what an object loads inherits them.
  const searched = memoize((object: LoadedObject) => {
    const value = object.facts.runpath ?? object.facts.rpath ?? "";
    return /\$(?!ORIGIN|\{ORIGIN\})/.test(value) ? [] : directoriesOf(value, object, {});
  });
  // "c.", "pthread." and so on, whatever follows.
  const self = /^lib(?:c|pthread|rt|m|dl|util|xnet)\./;
  return {
    libc: "musl",
    path,
    facts,
    provides: (name) =>
      self.test(name) || name === nameOf(path) || (isGcompat && /^ld-linux.*\.so\.\d$/.test(name)),
    *search(_, object) {
      yield* inDirectories(environment);
      for (let at: LoadedObject | undefined = object; at !== undefined; at = at.loader)
        yield* inDirectories(searched(at));
      yield* inDirectories(system);
    },
  };
}

const MUSL_LOADER = /\/ld-musl-([^/]+)\.so\.1$/;

function* inDirectories(directories: readonly string[]): Generator<Candidate> {
  for (const directory of directories) yield { directory };
}

/** AT_PLATFORM, by `e_machine`. */
const PLATFORMS: Readonly<Record<number, string>> = {
  62: "x86_64",
  183: "aarch64",
  21: "ppc64le",
  22: "s390x",
};

/** A list of directories, with what `$NAME` or `${NAME}` in it stands for. */
function directoriesOf(
  list: string,
  object: LoadedObject,
  names: Readonly<Record<string, string>>,
): string[] {
  if (list === "") return [];
  return (
    list
      .split(/[:;]/)
      .slice(0, MAX_DIRECTORIES)
      .map((path) =>
        path.replace(/\$(?:\{(\w+)\}|(ORIGIN|LIB|PLATFORM))/g, (whole, braced?: string, plain?: string) => {
          const name = braced ?? plain ?? "";
          return name === "ORIGIN" ? directoryOf(object.location) : (names[name] ?? whole);
        }),
      )
      // An empty one is the working directory, which nothing should depend on.
      .filter((path) => path.startsWith("/"))
  );
}

/**
 * What a build of glibc has compiled in: /lib/aarch64-linux-gnu and /lib (Debian), /lib64 (Red Hat, SUSE), /lib (Arch,
 * Wolfi), or directories of its own. Where the loader does not say, its own directory does.
 */
function systemDirectories(
  loader: string,
  { systemDirectories: compiled }: ElfFacts,
): { directories: readonly string[]; prefix: string; lib: string } {
  const [first = ""] = compiled ?? [directoryOf(loader)];
  const [, name] = SYSTEM_DIRECTORY.exec(first) ?? [];
  if (name === undefined) {
    const prefix = directoryOf(first);
    return { directories: compiled ?? [first, `${prefix}/lib64`], prefix, lib: nameOf(first) };
  }
  const others = name === "lib64" ? [] : name === "lib" ? ["lib64"] : ["lib"];
  const directories = [name, ...others].flatMap((part) => [`/${part}`, `/usr/${part}`]);
  return { directories: compiled ?? directories, prefix: "", lib: name };
}

const SYSTEM_DIRECTORY = /^(?:\/usr)?\/(lib\/[^/]+-linux-[^/]+|lib64|lib32|libx32|lib)$/;

function cacheOf(tree: LinkTree, paths: Paths, prefix: string): ReadonlyMap<string, readonly string[]> {
  const file = paths.real(`${prefix}/etc/ld.so.cache`);
  const content = file === undefined ? undefined : tree.loaderFile(file);
  return (content && readLoaderCache(Buffer.from(content))) ?? new Map<string, readonly string[]>();
}

function memoize<T>(compute: (object: LoadedObject) => T): (object: LoadedObject) => T {
  const known = new WeakMap<LoadedObject, T>();
  return (object) => {
    const before = known.get(object);
    if (before !== undefined) return before;
    const value = compute(object);
    known.set(object, value);
    return value;
  };
}

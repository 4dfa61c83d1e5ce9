import type { ElfFacts, VersionNeed } from "../elf/elf-facts.js";
import type { ElfHeader } from "../elf/elf-header.js";
import { loaderAt, type LoadedObject, type Loader } from "./loader.js";
import { MAX_LINK_FINDINGS, type LinkFinding, type LinkReport } from "./link-report.js";
import { nameOf, Paths, type LinkTree } from "./link-tree.js";
import {
  buildName,
  glibcVersion,
  hostOf,
  isHost,
  isLoadable,
  libcOf,
  rootKind,
  whyOptional,
  type RootKind,
} from "./roots.js";

export interface LinkOptions {
  /** What the platform's programs are; other files are not judged. */
  readonly expected: ElfHeader;
  /** Whether a file may be for another system: it is not judged either. */
  readonly isAllowed?: (path: string) => boolean;
  /** LD_LIBRARY_PATH in the image's configuration. */
  readonly libraryPath?: string;
}

/** Places in which libraries are looked for, in one image: no real one needs a hundredth. Takes seconds. */
const MAX_LOOKUPS = 2e6;
/** Looked up places that are remembered. */
const MAX_PLACES = 50_000;
/** Programs of one kind in which a module is tried: an image has one Python or two. */
const MAX_HOSTS = 4;

/** A process as far as it can be foretold: what its loader maps before its first instruction. */
interface Process {
  readonly loader: Loader;
  readonly main: LoadedObject | undefined;
  /** By path without symbolic links. */
  readonly objects: Map<string, LoadedObject>;
  /** By the names under which objects were needed, and by DT_SONAME. */
  readonly names: Map<string, LoadedObject>;
  /** The process before it loaded a module: what it has, this one has too. */
  readonly before?: Process;
}

/**
 * Follows what programs and extension modules need, by their loaders' own rules, without running anything: the
 * interpreter, each DT_NEEDED, each symbol version. Modules are loaded into the processes of the interpreters that
 * the image has (Python, Node), after the interpreter's own libraries.
 */
export function proveLinks(tree: LinkTree, options: LinkOptions): LinkReport {
  return new Proof(tree, options).run();
}

class Proof {
  readonly #tree: LinkTree;
  readonly #paths: Paths;
  readonly #isAllowed: (path: string) => boolean;
  readonly #expected: ElfHeader;
  readonly #libraryPath: string;
  readonly #loaders = new Map<string, Loader | undefined>();
  readonly #reached = new Set<string>();
  /** What processes of each kind have loaded: names and DT_SONAMEs. Those of a host are added once. */
  readonly #loaded = new Map<RootKind, { readonly names: Set<string>; readonly hosts: Set<Process> }>();
  readonly #byName = new Map<string, string>();
  /** How many builds of a file in a Node package there are, by what they have in common. */
  readonly #builds = new Map<string, number>();
  readonly #hostsOf = new Map<RootKind, Process[]>();
  /** Whether there is something to load, by directory and name. */
  readonly #places = new Map<string, boolean>();
  /** The library that last had all that a file needs of it: mostly it is the same for every program. */
  readonly #satisfied = new Map<VersionNeed, LoadedObject["facts"]>();
  readonly #failures = new Findings();
  readonly #notes = new Findings();
  #lookups = 0;

  constructor(tree: LinkTree, { expected, isAllowed = () => false, libraryPath = "" }: LinkOptions) {
    this.#tree = tree;
    this.#paths = new Paths(tree);
    this.#isAllowed = isAllowed;
    this.#expected = expected;
    this.#libraryPath = libraryPath;
  }

  run(): LinkReport {
    const files = [...this.#tree.elf]
      .filter(([path, facts]) => this.#fits(facts) && isLoadable(path, facts) && !this.#isAllowed(path))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [path, facts] of files)
      for (const name of [nameOf(path), facts.soname ?? ""])
        if (!this.#byName.has(name)) this.#byName.set(name, path);
    for (const [path] of files) {
      const name = buildName(path);
      if (name !== undefined) this.#builds.set(name, (this.#builds.get(name) ?? 0) + 1);
    }
    const roots = files.flatMap(([path, facts]) => {
      const kind = rootKind(path, facts);
      return kind === undefined ? [] : [{ path, facts, kind }];
    });
    const processes = new Map<string, Process>();
    for (const { path, facts, kind } of roots) {
      if (kind !== "program") continue;
      const process = this.#start(path, facts);
      if (process !== undefined) processes.set(path, process);
    }
    const pending: (() => void)[] = [];
    for (const { path, facts, kind } of roots)
      if (kind !== "program") pending.push(this.#load(kind, path, facts, processes));
    // What one module loads is there for the next: a package may import another before its own modules.
    for (const report of pending) report();
    let libraries = this.#reached.size;
    for (const { path } of roots) if (this.#reached.has(path)) libraries--;
    this.#proveOthers(files, processes);
    return {
      roots: roots.length,
      libraries,
      failures: this.#failures.list(),
      notes: this.#notes.list(),
    };
  }

  #fits(facts: ElfHeader): boolean {
    const { machine, class: bits, endianness } = this.#expected;
    return facts.machine === machine && facts.class === bits && facts.endianness === endianness;
  }

  /** A program's process; undefined when it has no loader whose rules are known. */
  #start(path: string, facts: ElfFacts): Process | undefined {
    const { interpreter = "" } = facts;
    const real = this.#paths.real(interpreter);
    const found = real === undefined ? undefined : this.#tree.elf.get(real);
    if (real === undefined || found === undefined || !this.#fits(found)) {
      const finding: LinkFinding = {
        kind: "interpreter",
        file: path,
        library: interpreter,
        ...(found === undefined || real === undefined ? {} : { found: real }),
      };
      if (this.#hasOtherBuild(path)) this.#notes.add({ ...finding, why: OTHER_BUILD });
      else this.#failures.add(finding);
      return undefined;
    }
    const loader = this.#loaderAt(real, found);
    if (loader === undefined) return undefined;
    const main: LoadedObject = { location: path, path, facts };
    const process = newProcess(loader, main);
    for (const finding of this.#map(process, main)) this.#report(path, finding, loader);
    this.#note(
      isHost(path, PYTHON) ? "python module" : isHost(path, NODE) ? "node addon" : "program",
      process,
    );
    return process;
  }

  #loaderAt(path: string, facts: ElfFacts): Loader | undefined {
    if (!this.#loaders.has(path)) {
      const options = { tree: this.#tree, paths: this.#paths, libraryPath: this.#libraryPath };
      this.#loaders.set(path, loaderAt(path, facts, options));
    }
    return this.#loaders.get(path);
  }

  /** @returns reports what is missing, when all other modules have been loaded */
  #load(kind: RootKind, path: string, facts: ElfFacts, processes: ReadonlyMap<string, Process>): () => void {
    let best: { findings: LinkFinding[]; loader: Loader } | undefined;
    for (const host of this.#hosts(kind, processes)) {
      const process = branch(host);
      // musl takes the program for what asked for the module.
      const loader = host.loader.libc === "musl" ? host.main : undefined;
      const object: LoadedObject = { location: path, path, facts, ...(loader && { loader }) };
      const findings = this.#map(process, object);
      const version =
        kind === "python module" && host.loader.libc === "musl" ? glibcVersion(facts) : undefined;
      if (version !== undefined && !this.#byName.has(GCOMPAT))
        findings.push({ kind: "libc", file: path, versions: [version] });
      if (best === undefined || findings.length < best.findings.length)
        best = { findings, loader: host.loader };
      if (findings.length === 0) {
        this.#note(kind, process);
        break;
      }
    }
    return () => {
      for (const finding of best?.findings ?? [])
        if (best !== undefined) this.#report(path, finding, best.loader, this.#loaded.get(kind)?.names);
    };
  }

  /** Processes that load modules of this kind; where the image has no such program, those of its loaders alone. */
  #hosts(kind: RootKind, processes: ReadonlyMap<string, Process>): Process[] {
    const known = this.#hostsOf.get(kind) ?? this.#findHosts(kind, processes);
    this.#hostsOf.set(kind, known);
    return known;
  }

  #findHosts(kind: RootKind, processes: ReadonlyMap<string, Process>): Process[] {
    const pattern = hostOf(kind);
    const hosts = [...processes].filter(([path]) => pattern !== undefined && isHost(path, pattern));
    if (hosts.length > 0) return hosts.slice(0, MAX_HOSTS).map(([, process]) => process);
    return this.#bareProcesses();
  }

  #bareProcesses(): Process[] {
    return [...this.#loaders.values()].flatMap((loader) =>
      loader === undefined ? [] : [newProcess(loader)],
    );
  }

  /** Loads an object and, breadth first, all that it needs, as loaders do. Returns what is missing. */
  #map(process: Process, root: LoadedObject): LinkFinding[] {
    const { loader, main, objects, names } = process;
    const findings: LinkFinding[] = [];
    const add = (object: LoadedObject): void => {
      objects.set(object.path, object);
      const { soname } = object.facts;
      if (soname !== undefined && named(process, soname) === undefined) names.set(soname, object);
      this.#reached.add(object.path);
      queue.push(object);
    };
    const queue: LoadedObject[] = [];
    add(root);
    for (let at = 0; at < queue.length; at++) {
      const object = queue[at];
      if (object === undefined) break;
      const { facts, path } = object;
      if (facts.problem !== undefined) findings.push({ kind: "malformed", file: path, why: facts.problem });
      for (const name of facts.needed ?? []) {
        if (++this.#lookups > MAX_LOOKUPS) return [...findings, { kind: "limit", file: root.path }];
        if (named(process, name) !== undefined || loader.provides(name)) continue;
        const location = this.#find(name, object, loader, main);
        if (location === undefined) {
          const elsewhere = this.#byName.get(name);
          findings.push({
            kind: "library",
            file: path,
            library: name,
            ...(elsewhere === undefined ? {} : { found: elsewhere }),
          });
          continue;
        }
        const real = this.#paths.real(location) ?? location;
        const before = objects.get(real) ?? process.before?.objects.get(real);
        const found = before ?? this.#object(location, real, object);
        if (found === undefined) continue;
        names.set(name, found);
        if (before === undefined) add(found);
      }
    }
    // musl looks at no versions.
    if (loader.libc === "glibc")
      for (const object of queue) this.#addMissingVersions(object, process, findings);
    return findings;
  }

  /** glibc warns, and goes on, when a library defines no versions at all. */
  #addMissingVersions({ path, facts }: LoadedObject, process: Process, findings: LinkFinding[]): void {
    for (const need of facts.versionsNeeded ?? []) {
      const { library, versions } = need;
      const provider = named(process, library);
      const defined = provider?.facts.versionsDefined;
      if (provider === undefined || defined === undefined) continue;
      if (this.#satisfied.get(need) === provider.facts) continue;
      const missing = versions.filter((version) => !defined.includes(version));
      if (missing.length === 0) this.#satisfied.set(need, provider.facts);
      else findings.push({ kind: "version", file: path, library, versions: missing, found: provider.path });
    }
  }

  #object(location: string, path: string, loader: LoadedObject): LoadedObject | undefined {
    const facts = this.#tree.elf.get(path);
    return facts && { location, path, facts, loader };
  }

  /** Where the loader finds a library, as it finds it; undefined where it does not. */
  #find(
    name: string,
    object: LoadedObject,
    loader: Loader,
    main: LoadedObject | undefined,
  ): string | undefined {
    const isAt = (path: string | undefined): boolean => {
      const facts = path === undefined ? undefined : this.#tree.elf.get(path);
      return facts !== undefined && this.#fits(facts);
    };
    // A path: as it is, or from the working directory, which nothing says.
    if (name.includes("/")) return isAt(this.#paths.real(name)) ? name : undefined;
    for (const candidate of loader.search(name, object, main)) {
      if (++this.#lookups > MAX_LOOKUPS) return undefined;
      if ("path" in candidate) {
        if (isAt(this.#paths.real(candidate.path))) return candidate.path;
      } else {
        const place = `${candidate.directory}/${name}`;
        let isThere = this.#places.get(place);
        if (isThere === undefined) {
          isThere = isAt(this.#paths.realIn(candidate.directory, name));
          if (this.#places.size < MAX_PLACES) this.#places.set(place, isThere);
        }
        if (isThere) return place;
      }
    }
    return undefined;
  }

  /** @param provided names that other modules of the same process load */
  #report(root: string, finding: LinkFinding, { libc }: Loader, provided?: ReadonlySet<string>): void {
    const { file, library = "", kind, why } = finding;
    const full = file === root ? finding : { ...finding, root };
    const reason =
      kind === "malformed" && why?.endsWith("not kept") === true
        ? why
        : kind === "library" && provided?.has(library) === true
          ? "another module that loads it has to be imported first"
          : this.#isForOther(root, libc)
            ? OTHER_BUILD
            : whyOptional(root, library);
    if (reason === undefined) this.#failures.add(full);
    else this.#notes.add({ ...full, why: reason });
  }

  /** Whether a Node package has the file for another C library as well. */
  #hasOtherBuild(path: string): boolean {
    return (this.#builds.get(buildName(path) ?? "") ?? 0) > 1;
  }

  #isForOther(path: string, libc: "glibc" | "musl"): boolean {
    const facts = this.#hasOtherBuild(path) ? this.#tree.elf.get(path) : undefined;
    const own = facts && libcOf(facts);
    return own !== undefined && own !== libc;
  }

  #note(kind: RootKind, process: Process): void {
    const loaded = this.#loaded.get(kind) ?? { names: new Set(), hosts: new Set() };
    this.#loaded.set(kind, loaded);
    for (const name of process.names.keys()) loaded.names.add(name);
    const host = process.before;
    if (host === undefined || loaded.hosts.has(host)) return;
    loaded.hosts.add(host);
    for (const name of host.names.keys()) loaded.names.add(name);
  }

  /** Libraries that nothing loads by need: plugins, or left over. They are judged alone, and never fail. */
  #proveOthers(
    files: readonly (readonly [string, ElfFacts])[],
    processes: ReadonlyMap<string, Process>,
  ): void {
    const [process] = this.#bareProcesses();
    if (process === undefined || processes.size === 0) return;
    for (const [path, facts] of files) {
      if (this.#reached.has(path) || facts.needed === undefined) continue;
      if (this.#isForOther(path, process.loader.libc)) continue;
      for (const finding of this.#map(branch(process), { location: path, path, facts }))
        // A program that has the library, or sets where to look for it, may well load this one.
        if ((finding.kind !== "library" || finding.found === undefined) && !this.#failures.has(finding))
          this.#notes.add(finding.file === path ? finding : { ...finding, root: path });
    }
  }
}

const OTHER_BUILD = "the package has a build for this C library too";
const PYTHON = hostOf("python module") ?? /$^/;
const NODE = hostOf("node addon") ?? /$^/;
const GCOMPAT = "libgcompat.so.0";

function newProcess(loader: Loader, main?: LoadedObject): Process {
  const own: LoadedObject = { location: loader.path, path: loader.path, facts: loader.facts };
  const names = new Map([[nameOf(loader.path), own]]);
  if (loader.facts.soname !== undefined) names.set(loader.facts.soname, own);
  return { loader, main, objects: new Map([[own.path, own]]), names };
}

/** The same process, before it loads one more module. */
function branch(before: Process): Process {
  return { loader: before.loader, main: before.main, objects: new Map(), names: new Map(), before };
}

/** What a process has under this name. */
function named({ names, before }: Process, name: string): LoadedObject | undefined {
  return names.get(name) ?? before?.names.get(name);
}

function keyOf({ kind, file, library = "" }: LinkFinding): string {
  return `${kind} ${file} ${library}`;
}

/** Each need once, whatever loads the file; the first root is named. */
class Findings {
  readonly #findings = new Map<string, LinkFinding>();

  add(finding: LinkFinding): void {
    if (this.#findings.size < MAX_LINK_FINDINGS && !this.has(finding))
      this.#findings.set(keyOf(finding), finding);
  }

  has(finding: LinkFinding): boolean {
    return this.#findings.has(keyOf(finding));
  }

  list(): LinkFinding[] {
    return [...this.#findings.values()].sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0));
  }
}

import { TgoError } from "@tgo/errors";
import { parsePlatform, type Platform } from "../platform.js";
import { extensionMachine } from "./python-extension.js";

/** The beginning of an ELF file: System V ABI, chapter 4, "ELF Header". */
export interface ElfHeader {
  readonly class: 32 | 64;
  readonly endianness: "little" | "big";
  /** `e_machine`. */
  readonly machine: number;
}

/** Bytes that {@link readElfHeader} needs: e_ident (16), e_type (2), e_machine (2). */
export const ELF_HEADER_BYTES = 20;

/** The header of an ELF file, or undefined for any other file. Give at least {@link ELF_HEADER_BYTES}. */
export function readElfHeader(bytes: Uint8Array): ElfHeader | undefined {
  if (bytes.length < ELF_HEADER_BYTES) return undefined;
  if (bytes[0] !== 0x7f || bytes[1] !== 0x45 || bytes[2] !== 0x4c || bytes[3] !== 0x46) return undefined;
  const [elfClass, data] = [bytes[4], bytes[5]];
  if ((elfClass !== 1 && elfClass !== 2) || (data !== 1 && data !== 2)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    class: elfClass === 2 ? 64 : 32,
    endianness: data === 1 ? "little" : "big",
    machine: view.getUint16(18, data === 1),
  };
}

/** `e_machine` values: https://www.sco.com/developers/gabi/latest/ch4.eheader.html; names as readelf's users know them. */
const NAMES: Readonly<Record<number, string>> = {
  0: "none",
  2: "sparc",
  3: "i386",
  8: "mips",
  20: "ppc",
  21: "ppc64",
  22: "s390",
  40: "arm",
  43: "sparcv9",
  62: "x86-64",
  183: "aarch64",
  190: "cuda",
  224: "amdgpu",
  243: "riscv",
  247: "bpf",
  258: "loongarch",
};

/** Go's architecture names: `go tool dist list`. */
const MACHINES: Readonly<Record<string, number>> = {
  amd64: 62,
  "386": 3,
  arm64: 183,
  arm: 40,
  riscv64: 243,
  ppc64le: 21,
  s390x: 22,
  loong64: 258,
};

/** What Python calls these machines in the names of extension modules; others are not judged by name. */
const PYTHON_NAMES: Readonly<Record<string, number>> = { x86_64: 62, aarch64: 183, i386: 3 };

/** Machines that are no CPU the image could be meant for: objects without one, kernel BPF, GPU code. */
const NEUTRAL: ReadonlySet<number> = new Set([0, 190, 224, 247]);

/** The `e_machine` that a platform's programs have. @throws TgoError USAGE for an architecture not known here. */
export function machineOf(platform: Platform): number {
  const { architecture } = parsePlatform(platform);
  const machine = MACHINES[architecture];
  if (machine !== undefined) return machine;
  throw new TgoError("USAGE", `no ELF machine is known for the platform "${platform}"`, {
    remedy: `Known architectures: ${Object.keys(MACHINES).join(", ")}.`,
  });
}

export function machineName(machine: number): string {
  return NAMES[machine] ?? `machine ${machine}`;
}

export function isNeutral(machine: number): boolean {
  return NEUTRAL.has(machine);
}

/** What the ELF files of one root file system were built for. */
export interface ElfReport {
  /** Regular files seen, hard links counted each. */
  readonly files: number;
  /** ELF files among them. */
  readonly elf: number;
  /** ELF files by machine: `{ "x86-64": 1200 }`. */
  readonly machines: Readonly<Record<string, number>>;
  /**
   * Files for another machine than the platform's, by path; neither neutral nor allowed. Where a file's own header is
   * right and its name is not (a Python extension module), `machine` says both.
   */
  readonly foreign: readonly { readonly path: string; readonly machine: string }[];
}

/**
 * Counts files and finds the foreign ones.
 *
 * The rule: an ELF file is foreign when its `e_machine` is not the one its platform's kernel and loader run
 * natively. It holds for programs, libraries and object files alike, wherever they lie, since any of them may
 * be loaded. The 32-bit sibling (i386 on amd64, arm on arm64) is foreign too: its loader is not in the image.
 * Code for no CPU (BPF, CUDA, AMD GPU, `EM_NONE`) is neither right nor wrong. Folders that carry binaries for
 * several platforms on purpose are allowed by path. A Python extension module whose name says another machine is
 * foreign too: nothing would ever load it.
 */
export class ElfScan {
  #files = 0;
  readonly #machines = new Map<string, number>();
  readonly #foreign: { path: string; machine: string }[] = [];
  readonly #expected: number;
  readonly #allowed: (path: string) => boolean;

  /** @param allow path patterns from the root, as {@link pathPattern} reads them. */
  constructor(platform: Platform, { allow = [] }: { allow?: readonly string[] } = {}) {
    this.#expected = machineOf(platform);
    const patterns = allow.map(pathPattern);
    this.#allowed = (path) => patterns.some((pattern) => pattern.test(path));
  }

  /** @param path from the root, with its leading slash. @param machine undefined when the file is not ELF. */
  add(path: string, machine: number | undefined): void {
    this.#files++;
    if (machine === undefined) return;
    const name = machineName(machine);
    this.#machines.set(name, (this.#machines.get(name) ?? 0) + 1);
    const why = this.#whyForeign(path, machine);
    if (why !== undefined && !this.#allowed(path)) this.#foreign.push({ path, machine: why });
  }

  #whyForeign(path: string, machine: number): string | undefined {
    if (isNeutral(machine)) return undefined;
    if (machine !== this.#expected) return machineName(machine);
    const named = extensionMachine(path) ?? "";
    const misnamed = (PYTHON_NAMES[named] ?? machine) !== machine;
    return misnamed ? `${machineName(machine)}, but named for ${named}: Python ignores it` : undefined;
  }

  report(): ElfReport {
    const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
    return {
      files: this.#files,
      elf: [...this.#machines.values()].reduce((sum, count) => sum + count, 0),
      machines: Object.fromEntries([...this.#machines].sort(([a], [b]) => byText(a, b))),
      foreign: this.#foreign.sort((a, b) => byText(a.path, b.path)),
    };
  }
}

/**
 * `/usr/lib/x.so` is that file, `/opt/tools/` everything below; `*` stands for any characters within one part
 * of the path, `**` for any parts.
 */
export function pathPattern(text: string): RegExp {
  const whole = `/${text.replace(/^\/+/, "")}${text.endsWith("/") ? "**" : ""}`;
  const source = whole.replace(/\*\*\/?|\*|[.+?^${}()|[\]\\]/g, (part) => {
    if (part === "**/") return "(?:.*/)?";
    if (part === "**") return ".*";
    return part === "*" ? "[^/]*" : `\\${part}`;
  });
  return new RegExp(`^${source}$`, "s");
}

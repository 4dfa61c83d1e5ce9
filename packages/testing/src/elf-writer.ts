import { X86_64 } from "./stage-images.js";

export interface ElfSpec {
  /** `e_machine`; default x86-64. */
  readonly machine?: number;
  readonly bits?: 32 | 64;
  readonly endian?: "little" | "big";
  /** `e_type`; default 3: a library, or a position-independent program. */
  readonly type?: number;
  readonly interpreter?: string;
  readonly needed?: readonly string[];
  readonly soname?: string;
  readonly rpath?: string;
  readonly runpath?: string;
  /** `DT_FLAGS_1` */
  readonly flags?: number;
  /** Versions by the library that they are needed of; one that ends in "?" is a weak need. */
  readonly needs?: Readonly<Record<string, readonly string[]>>;
  /** Versions that the file defines. */
  readonly defines?: readonly string[];
  /** Names in the table of names, as those of symbols are. */
  readonly symbols?: readonly string[];
  /** `p_align` of the one PT_LOAD; default 65536. */
  readonly alignment?: number;
  /** Distance of its addresses from its offsets; default 0. */
  readonly base?: number;
  /** GNU properties by type. */
  readonly properties?: Readonly<Record<number, number>>;
  /** In a PT_NOTE, as before binutils 2.31, not a PT_GNU_PROPERTY. */
  readonly oldNote?: boolean;
  /** Bytes before the dynamic section, such as the code of a large library. */
  readonly filler?: number;
  /** The names come after the filler, and then as much of it again. */
  readonly namesLate?: boolean;
}

/** An ELF file that a loader can read the dynamic section of; it has no code. */
export function elfObject(spec: ElfSpec = {}): Buffer {
  const { bits = 64, endian = "little", machine = X86_64, type = 3, base = 0 } = spec;
  const write = numbers(endian === "little", bits);
  const names = new Names();
  const parts: { segment?: number; bytes: Buffer; alignment?: number; at: number }[] = [];
  const segments = 1 + [spec.interpreter, spec.properties].filter((part) => part !== undefined).length + 1;
  const headers = (bits === 64 ? 64 : 52) + segments * (bits === 64 ? 56 : 32);
  let size = headers;
  const place = (bytes: Buffer, segment?: number, alignment = 8): number => {
    const at = Math.ceil(size / 8) * 8;
    parts.push({ bytes, at, alignment, ...(segment === undefined ? {} : { segment }) });
    size = at + bytes.length;
    return at + base;
  };
  if (spec.interpreter !== undefined) place(Buffer.from(`${spec.interpreter}\0`), 3);
  if (spec.properties !== undefined)
    place(propertyNote(spec.properties, write, bits), spec.oldNote === true ? 4 : 0x6474e553, bits / 8);
  for (const symbol of spec.symbols ?? []) names.add(symbol);
  const named = (tag: number, value: string | undefined): (readonly [number, number])[] =>
    value === undefined ? [] : [[tag, names.add(value)]];
  const dynamic: (readonly [tag: number, value: number])[] = [
    ...(spec.needed ?? []).map((name) => [1, names.add(name)] as const),
    ...named(14, spec.soname),
    ...named(15, spec.rpath),
    ...named(29, spec.runpath),
  ];
  if (spec.flags !== undefined) dynamic.push([0x6ffffffb, spec.flags]);
  const needs = Object.entries(spec.needs ?? {});
  if (needs.length > 0)
    dynamic.push([0x6ffffffe, place(versionNeeds(needs, names, write))], [0x6fffffff, needs.length]);
  if (spec.defines !== undefined)
    dynamic.push(
      [0x6ffffffc, place(versionDefinitions([spec.soname ?? "", ...spec.defines], names, write))],
      [0x6ffffffd, spec.defines.length + 1],
    );
  const table = names.bytes();
  const filler = Buffer.alloc(spec.filler ?? 0);
  if (spec.namesLate === true) place(filler);
  dynamic.push([5, place(table)], [10, table.length], [0, 0]);
  place(filler);
  place(Buffer.concat(dynamic.flatMap(([tag, value]) => [write.word(tag), write.word(value)])), 2);

  const file = Buffer.alloc(size);
  file.set([0x7f, 0x45, 0x4c, 0x46, bits === 64 ? 2 : 1, endian === "little" ? 1 : 2, 1]);
  const wide = bits === 64;
  file.set(write.u16(type), 16);
  file.set(write.u16(machine), 18);
  file.set(write.word(wide ? 64 : 52), wide ? 32 : 28);
  file.set(write.u16(wide ? 56 : 32), wide ? 54 : 42);
  file.set(write.u16(segments), wide ? 56 : 44);
  const load = { segment: 1, at: 0, bytes: file, alignment: spec.alignment ?? 65536 };
  [load, ...parts.filter(({ segment }) => segment !== undefined)].forEach((part, index) => {
    const at = (wide ? 64 : 52) + index * (wide ? 56 : 32);
    const { segment = 0, bytes, alignment = 8 } = part;
    const [flags, length] = [write.u32(4), write.word(bytes.length)];
    const [offset, address, align] = [part.at, part.at + base, alignment].map((value) => write.word(value));
    const fields = wide
      ? [write.u32(segment), flags, offset, address, address, length, length, align]
      : [write.u32(segment), offset, address, address, length, length, flags, align];
    file.set(Buffer.concat(fields.filter((field) => field !== undefined)), at);
  });
  for (const { bytes, at } of parts) file.set(bytes, at);
  return file;
}

type Numbers = ReturnType<typeof numbers>;

function numbers(little: boolean, bits: 32 | 64) {
  const order = (bytes: Buffer): Buffer => (little ? bytes : bytes.reverse());
  const fixed = (size: number, value: number): Buffer => {
    const bytes = Buffer.alloc(size);
    bytes.writeUIntLE(value, 0, Math.min(size, 6));
    return order(bytes);
  };
  return {
    u16: (value: number) => fixed(2, value),
    u32: (value: number) => fixed(4, value),
    word: (value: number) => fixed(bits / 8, value),
  };
}

/** A string table. */
class Names {
  readonly #names = [Buffer.from("\0")];
  #size = 1;

  add(name: string): number {
    const [at, bytes] = [this.#size, Buffer.from(`${name}\0`)];
    this.#names.push(bytes);
    this.#size += bytes.length;
    return at;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#names);
  }
}

function versionNeeds(
  needs: readonly (readonly [library: string, versions: readonly string[]])[],
  names: Names,
  { u16, u32 }: Numbers,
): Buffer {
  return Buffer.concat(
    needs.flatMap(([library, versions], index) => [
      ...[u16(1), u16(versions.length), u32(names.add(library)), u32(16)],
      u32(index === needs.length - 1 ? 0 : 16 + 16 * versions.length),
      ...versions.flatMap((version, at) => [
        ...[u32(0), u16(version.endsWith("?") ? 2 : 0), u16(at + 2)],
        u32(names.add(version.replace("?", ""))),
        u32(at === versions.length - 1 ? 0 : 16),
      ]),
    ]),
  );
}

/** The first is the file's own name. */
function versionDefinitions(versions: readonly string[], names: Names, { u16, u32 }: Numbers): Buffer {
  return Buffer.concat(
    versions.flatMap((version, index) => [
      ...[u16(1), u16(index === 0 ? 1 : 0), u16(index + 1), u16(1), u32(0), u32(20)],
      u32(index === versions.length - 1 ? 0 : 28),
      ...[u32(names.add(version)), u32(0)],
    ]),
  );
}

function propertyNote(properties: Readonly<Record<number, number>>, { u32 }: Numbers, bits: 32 | 64): Buffer {
  const content = Buffer.concat(
    Object.entries(properties).flatMap(([type, value]) => [
      ...[u32(Number(type)), u32(4), u32(value)],
      ...(bits === 64 ? [u32(0)] : []),
    ]),
  );
  return Buffer.concat([u32(4), u32(content.length), u32(5), Buffer.from("GNU\0"), content]);
}

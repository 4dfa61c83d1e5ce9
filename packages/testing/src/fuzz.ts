import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { isTgoError } from "@tgo/errors";

/** A parser of what strangers send. */
export interface FuzzTarget {
  /** For messages. */
  readonly name: string;
  /** A folder of inputs, one a file: each is tried as it is, and changed. What once failed stays there as a case. */
  readonly corpus: string;
  /**
   * Parses an input. What it throws must be declared, and it may check what is true of any input, such as round trips.
   * @param cut for parsers that read in pieces: where to cut the input
   */
  readonly parse: (input: Buffer, cut: number) => unknown;
  /** Whether the parser may throw this; default: any TgoError but a defect of ours (INTERNAL). */
  readonly declares?: (error: unknown) => boolean;
  /** Words of the format, to be inserted. */
  readonly words?: readonly string[];
}

/** For each target: enough to notice a parser that breaks, and little enough for every `npm test`. */
const DEFAULT_MS = 300;
/** Set by `npm run fuzz`. */
const SECONDS = Number(process.env["TGO_FUZZ_SECONDS"] ?? 0);
const TIME_MS = SECONDS > 0 ? SECONDS * 1000 : DEFAULT_MS;

/** For the test that calls {@link fuzz}: with time for the cases and for making a failure small. */
export const FUZZ_TIMEOUT_MS = 2 * TIME_MS + 60_000;

/** Of processor time, for one input of a few kilobytes on a slow machine. */
const MAX_INPUT_MS = 2000;
/** Of memory, for one input. */
const MAX_INPUT_BYTES = 256 * 1024 * 1024;

/**
 * Tries every input of the corpus, then changed ones until the time is over: 0.3 s, or TGO_FUZZ_SECONDS.
 * @throws Error with the smallest input found that makes the parser throw what it does not declare, or take too much
 * time or memory. In a run of `npm run fuzz` the input is added to the corpus.
 */
export async function fuzz(target: FuzzTarget): Promise<void> {
  const names = readdirSync(target.corpus).sort();
  const corpus = names.map((name) => readFileSync(join(target.corpus, name)));
  for (const [at, input] of corpus.entries()) {
    const problem = await problemOf(target, input, input.length >> 1);
    if (problem !== undefined)
      throw new Error(`${target.name}: ${join(target.corpus, names[at] ?? "")}: ${problem}`);
  }
  let failed: { input: Buffer; problem: string } | undefined;
  const property = fc.asyncProperty(
    fc.nat(),
    fc.array(change(target.words ?? []), { minLength: 1, maxLength: 6 }),
    fc.nat(),
    async (seed, changes, cut) => {
      const original = corpus[seed % corpus.length] ?? Buffer.alloc(0);
      const input = changes.reduce<Buffer>((bytes, apply) => apply(bytes, corpus), original);
      const problem = await problemOf(target, input, cut % (input.length + 1));
      if (problem === undefined) return;
      failed = { input, problem };
      throw new Error(problem);
    },
  );
  await fc.check(property, {
    numRuns: Number.MAX_SAFE_INTEGER,
    interruptAfterTimeLimit: TIME_MS,
    markInterruptAsFailure: false,
  });
  if (failed === undefined) return;
  const { input, problem } = failed;
  const name = join(target.corpus, `found-${createHash("sha256").update(input).digest("hex").slice(0, 12)}`);
  if (SECONDS > 0) writeFileSync(name, input);
  throw new Error(
    `${target.name}: ${problem}\n  input: ${SECONDS > 0 ? name : `${name} would be, in base 64, ${input.toString("base64")}`}`,
  );
}

/** What is wrong with how the parser takes an input; undefined when nothing is. */
async function problemOf(
  { parse, declares = isForeseen }: FuzzTarget,
  input: Buffer,
  cut: number,
): Promise<string | undefined> {
  const before = process.cpuUsage();
  const memory = process.resourceUsage().maxRSS;
  try {
    await parse(Buffer.from(input), cut);
  } catch (error) {
    if (!declares(error))
      return `it throws ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
  const { user, system } = process.cpuUsage(before);
  const milliseconds = (user + system) / 1000;
  if (milliseconds > MAX_INPUT_MS) return `it takes ${Math.round(milliseconds)} ms for ${input.length} bytes`;
  const grown = (process.resourceUsage().maxRSS - memory) * 1024;
  if (grown > MAX_INPUT_BYTES) return `it takes ${grown} bytes of memory for ${input.length} bytes`;
  return undefined;
}

function isForeseen(error: unknown): boolean {
  return isTgoError(error) && error.code !== "INTERNAL";
}

type Change = (bytes: Buffer, corpus: readonly Buffer[]) => Buffer;

/** Numbers at which programs break, as bytes and as text. */
const EDGES = [
  "0",
  "-1",
  "1",
  "255",
  "256",
  "65536",
  "2147483648",
  "4294967295",
  "9007199254740993",
  "1e999",
];

/** Longer inputs show nothing that shorter ones do not, and take the time of many. */
const MAX_LENGTH = 64 * 1024;

function change(words: readonly string[]): fc.Arbitrary<Change> {
  const position = fc.nat({ max: MAX_LENGTH });
  const piece = fc.nat({ max: 600 });
  const text = fc.oneof(
    fc.constantFrom(...EDGES, "\0", "\r\n", "\u{1F600}", '"', "\\", "a".repeat(300), ...words),
    fc.string(),
  );
  return fc.oneof(
    fc
      .tuple(position, fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.boolean())
      .map(([at, value, flip]): Change => (bytes) => {
        const changed = Buffer.from(bytes);
        const index = at % Math.max(1, bytes.length);
        if (index < changed.length)
          changed[index] = flip ? (changed[index] ?? 0) ^ (1 << (value & 7)) : value;
        return changed;
      }),
    fc
      .tuple(position, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constantFrom(1, 2, 4, 8))
      .map(([at, value, size]): Change => (bytes) => {
        const number = Buffer.alloc(8);
        number.writeBigUInt64LE(value);
        const index = at % Math.max(1, bytes.length);
        return Buffer.concat([
          bytes.subarray(0, index),
          number.subarray(0, size),
          bytes.subarray(index + size),
        ]);
      }),
    fc.tuple(position, piece).map(([at, length]): Change => (bytes) => {
      const index = at % (bytes.length + 1);
      return Buffer.concat([bytes.subarray(0, index), bytes.subarray(index + length)]);
    }),
    fc.tuple(position, text).map(
      ([at, inserted]): Change =>
        (bytes) =>
          insert(bytes, at, Buffer.from(inserted)),
    ),
    fc.tuple(position, position, piece).map(([from, to, length]): Change => (bytes) => {
      const start = from % (bytes.length + 1);
      return insert(bytes, to, bytes.subarray(start, start + length));
    }),
    fc.tuple(position).map(
      ([at]): Change =>
        (bytes) =>
          bytes.subarray(0, at % (bytes.length + 1)),
    ),
    fc.tuple(position, fc.constantFrom(...EDGES)).map(([at, number]): Change => (bytes) => {
      const index = at % (bytes.length + 1);
      const rest = bytes.toString("latin1", index).replace(/\d+/, number);
      return Buffer.concat([bytes.subarray(0, index), Buffer.from(rest, "latin1")]);
    }),
    fc.tuple(fc.nat(), position, position).map(([which, at, from]): Change => (bytes, corpus) => {
      const other = corpus[which % corpus.length] ?? bytes;
      return Buffer.concat([
        bytes.subarray(0, at % (bytes.length + 1)),
        other.subarray(from % (other.length + 1)),
      ]).subarray(0, MAX_LENGTH);
    }),
  );
}

function insert(bytes: Buffer, at: number, inserted: Buffer): Buffer {
  const index = at % (bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, index), inserted, bytes.subarray(index)]).subarray(0, MAX_LENGTH);
}

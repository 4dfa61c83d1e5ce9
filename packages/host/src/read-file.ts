import { close, constants, fstat, open, read, type Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { Socket } from "node:net";
import { promisify } from "node:util";

const openFile = promisify(open);
const statFile = promisify(fstat);
const readFile = promisify(read);
const closeFile = promisify(close);

export interface ReadFileOptions {
  /** Bytes. Default 16 MiB: catalogs, locks, credentials and certificates are far smaller. */
  readonly maxBytes?: number;
  /** Milliseconds. Default 30 000. */
  readonly timeoutMs?: number;
  /** Also reads a pipe until its writer closes it: a shell's `<(command)`, or /dev/stdin. */
  readonly pipe?: boolean;
}

export interface InputFile {
  readonly bytes: Buffer;
  /** Of the opened file, not of whatever the path names by then. */
  readonly stats: Stats;
}

const MAX_BYTES = 16 << 20;
const TIMEOUT_MS = 30_000;
const CHUNK_BYTES = 64 << 10;

/**
 * Reads a file that a flag, a variable or a folder names: bounded in size and time, and never a device.
 * @throws Error with a `code`: that of the failed call, or EISDIR, ENOTSUP (no regular file), EFBIG or ETIMEDOUT
 */
export async function readInputFile(path: string, options: ReadFileOptions = {}): Promise<InputFile> {
  const { timeoutMs = TIMEOUT_MS } = options;
  const timeout = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      timeout.abort();
      reject(readError("ETIMEDOUT", `it could not be read within ${timeoutMs / 1000} s`));
    }, timeoutMs);
  });
  const content = readContent(path, options, timeout.signal);
  // Fails after the time limit too, when nobody waits for it.
  content.catch(() => undefined);
  try {
    return await Promise.race([content, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Why a file could not be read, to follow a colon: "permission denied". */
export function readReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // "ENOENT: no such file or directory, open '/path'"
  return error.message.replace(/^E[A-Z]+: ([^,]+), .*$/s, "$1");
}

/** Reads that the kernel has not finished. */
let unfinished = 0;

/**
 * Whether a read is unfinished: of a dead network mount it never ends, and its thread keeps `process.exit` from ending
 * the process.
 */
export function hasUnfinishedReads(): boolean {
  return unfinished > 0;
}

async function readContent(path: string, options: ReadFileOptions, signal: AbortSignal): Promise<InputFile> {
  const { maxBytes = MAX_BYTES } = options;
  unfinished++;
  const opened = await openContent(path, options, signal).finally(() => unfinished--);
  const { stats, content } = opened;
  return { stats, bytes: content instanceof Socket ? await readPipe(content, maxBytes) : content };
}

/** The content of a file; of a pipe the socket that waits for it, without a thread. */
async function openContent(
  path: string,
  { maxBytes = MAX_BYTES, pipe = false }: ReadFileOptions,
  signal: AbortSignal,
): Promise<{ readonly stats: Stats; readonly content: Buffer | Socket }> {
  // Before opening, because opening a device can already do something.
  checkKind(await stat(path), pipe);
  // A plain open of a pipe waits for its writer, in a thread that keeps this process from ending.
  const file = await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  let isOwned = true;
  try {
    const stats = await statFile(file);
    checkKind(stats, pipe);
    if (stats.isFile()) return { stats, content: await readRegularFile(file, maxBytes, signal) };
    isOwned = false;
    // Closes the file when it is destroyed.
    return { stats, content: new Socket({ fd: file, readable: true, writable: false, signal }) };
  } finally {
    if (isOwned) await closeFile(file);
  }
}

function checkKind(stats: Stats, pipe: boolean): void {
  if (stats.isDirectory()) throw readError("EISDIR", "it is a folder");
  if (stats.isFile() || (pipe && stats.isFIFO())) return;
  throw readError("ENOTSUP", pipe ? "it is neither a regular file nor a pipe" : "it is not a regular file");
}

/** Up to the end, and not to the size: files in /proc have none, and others grow. */
async function readRegularFile(file: number, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for (;;) {
    signal.throwIfAborted();
    const { bytesRead, buffer } = await readFile(file, Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, null);
    if (bytesRead === 0) return Buffer.concat(chunks);
    size += bytesRead;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(buffer.subarray(0, bytesRead));
  }
}

async function readPipe(pipe: Socket, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop destroys the socket.
  for await (const chunk of pipe as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(maxBytes: number): Error {
  return readError("EFBIG", `it is larger than ${maxBytes >> 20} MiB`);
}

function readError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

import { once } from "node:events";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { saysDiskFull, TgoError } from "@tgo/errors";
import { diskFull } from "../errors.js";
import { startHostProcess } from "../host-process.js";

/** https://www.rfc-editor.org/rfc/rfc1952#section-2.3.1 */
const GZIP = Buffer.from([0x1f, 0x8b]);
const CHUNK = 1 << 18;

/**
 * Extracts a layer's tar, compressed or not, with owners, modes and capabilities. Node's zlib unpacks gzip in a third of the
 * time that gzip's own program takes; tar itself knows the other formats.
 * @throws TgoError ENVIRONMENT if the disk is full, INTERNAL with tar's own message
 */
export async function extractTar(file: string, folder: string): Promise<void> {
  const isGzip = await startsWithGzip(file);
  const input = isGzip ? "-" : file;
  const attributes = ["--numeric-owner", "--xattrs", "--xattrs-include=security.capability"];
  const child = startHostProcess(["tar", "-C", folder, "-xpf", input, ...attributes], {
    stdio: ["pipe", "ignore", "pipe"],
  });
  let message = "";
  child.stderr?.on("data", (chunk: Buffer) => (message += chunk.toString()));
  const ended = once(child, "close") as Promise<[number | null]>;
  const sent = isGzip && child.stdin ? inflate(file, child.stdin) : undefined;
  sent?.catch(() => child.kill("SIGKILL"));
  if (!isGzip) child.stdin?.end();
  const [code] = await ended;
  const broken = await sent?.then(
    () => undefined,
    (error: unknown) => (code === 0 && isClosed(error) ? undefined : error),
  );
  if (code === 0 && broken === undefined) return;
  if (saysDiskFull(message)) throw diskFull(message);
  const why = message.trim() || (broken instanceof Error ? broken.message : "");
  throw new TgoError(
    "INTERNAL",
    `tar -C ${folder} … failed with ${code === null ? "a signal" : `exit code ${code}`}: ${why}`,
  );
}

/** tar ends once it has the whole archive, which may be before the stream to it knows that all was taken. */
function isClosed(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ERR_STREAM_PREMATURE_CLOSE" || code === "EPIPE";
}

function inflate(file: string, to: NodeJS.WritableStream): Promise<void> {
  const content = createReadStream(file, { highWaterMark: CHUNK });
  return pipeline(content, createGunzip({ chunkSize: CHUNK }), to);
}

async function startsWithGzip(file: string): Promise<boolean> {
  const opened = await open(file);
  try {
    const { buffer, bytesRead } = await opened.read(Buffer.alloc(GZIP.length), 0, GZIP.length, 0);
    return bytesRead === GZIP.length && buffer.equals(GZIP);
  } finally {
    await opened.close();
  }
}

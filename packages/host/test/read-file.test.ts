import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, open, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readInputFile, readReason } from "../src/index.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-read-"));
});
afterAll(() => rm(folder, { recursive: true }));

const reading = (path: string, options = {}): Promise<string> =>
  readInputFile(path, options).then(
    ({ bytes }) => bytes.toString(),
    (error: unknown) => `${(error as { code?: string }).code ?? ""}: ${readReason(error)}`,
  );
const fifo = (name: string): string => {
  const path = join(folder, name);
  execFileSync("mkfifo", [path]);
  return path;
};

describe("a file that a flag or a folder names", () => {
  it("is read whole, through links, also where the file system knows no size", async () => {
    await writeFile(join(folder, "long"), "x".repeat(200_000));
    await symlink("long", join(folder, "link"));
    expect(await reading(join(folder, "link"))).toBe("x".repeat(200_000));
    expect(await reading("/proc/self/status")).toMatch(/^Name:/);
  });

  it("is refused if it is larger than the limit, without being read whole", async () => {
    const path = join(folder, "sparse");
    await writeFile(path, "");
    await truncate(path, 2 ** 40);
    expect(await reading(path)).toBe("EFBIG: it is larger than 16 MiB");
  });

  it("is neither a folder, a device, a pipe nor a missing file", async () => {
    await mkdir(join(folder, "folder"));
    expect(await reading(join(folder, "folder"))).toBe("EISDIR: it is a folder");
    for (const path of ["/dev/zero", "/dev/null", fifo("unwanted")]) {
      expect(await reading(path)).toBe("ENOTSUP: it is not a regular file");
    }
    expect(await reading("/dev/zero", { pipe: true })).toBe(
      "ENOTSUP: it is neither a regular file nor a pipe",
    );
    expect(await reading(join(folder, "missing"))).toBe("ENOENT: no such file or directory");
  });
});

describe("a pipe where one is expected", () => {
  it("is read until its writer closes it, however late that one comes", async () => {
    const path = fifo("late");
    const text = reading(path, { pipe: true });
    spawn("sh", ["-c", `sleep 0.2; { printf one; sleep 0.2; printf two; } > ${path}`]);
    expect(await text).toBe("onetwo");
  });

  it("is left after the time limit", async () => {
    const [empty, hanging] = [fifo("empty"), fifo("hanging")];
    // Read and write: a writer that says nothing.
    const writer = await open(hanging, "r+");
    const limit = { pipe: true, timeoutMs: 200 };
    expect(await reading(empty, limit)).toBe("ETIMEDOUT: it could not be read within 0.2 s");
    expect(await reading(hanging, limit)).toBe("ETIMEDOUT: it could not be read within 0.2 s");
    await writer.close();
  });

  it("is left once it has brought more than the limit", async () => {
    const path = fifo("endless");
    const writer = spawn("sh", ["-c", `exec cat /dev/zero > ${path}`]);
    expect(await reading(path, { pipe: true })).toBe("EFBIG: it is larger than 16 MiB");
    // Its reader is gone.
    const [, signal] = (await once(writer, "exit")) as [number, string];
    expect(signal).toBe("SIGPIPE");
  });
});

import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { aptInstall } from "../src/apt.js";

/** A program in apt-get's place: what cannot be had at will is a mirror's outage and another apt's lock. */
describe("installing with apt", () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "tgo-apt-"));
    vi.stubEnv("PATH", `${dir}:${process.env.PATH ?? ""}`);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(dir, { recursive: true });
  });

  async function aptGet(script: string): Promise<void> {
    await writeFile(join(dir, "apt-get"), `#!/bin/sh\necho "$@" >> ${dir}/calls\n${script}`);
    await chmod(join(dir, "apt-get"), 0o755);
  }

  it("installs only the packages, and logs them", async () => {
    await aptGet(
      'case "$*" in *install*) echo "Unpacking skopeo"; echo "Setting up libc6:amd64 (1)"; echo "Setting up skopeo (1.9)";; esac',
    );
    const lines: string[] = [];
    await aptInstall(["skopeo"], (line) => lines.push(line));
    expect(lines).toEqual(["downloaded; unpacking", "installed skopeo"]);
    const calls = (await readFile(join(dir, "calls"), "utf8")).trim().split("\n");
    expect(calls).toEqual([
      "-qq -o DPkg::Lock::Timeout=300 update",
      "-qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends skopeo",
    ]);
  });

  it("continues when only some source could not be updated", async () => {
    await aptGet('case "$*" in *update*) echo "E: The repository is not signed." >&2; exit 100;; esac');
    const lines: string[] = [];
    await aptInstall(["skopeo"], (line) => lines.push(line));
    expect(lines).toEqual(["apt-get update: E: The repository is not signed."]);
  });

  it.each([
    {
      said: "E: Failed to fetch http://deb.debian.org/x.deb  Could not resolve 'deb.debian.org'",
      error: /cannot download.*Could not resolve/,
      remedy: /network/,
    },
    { said: "E: Unable to locate package skopeo", error: /cannot download/, remedy: /mirrors in \/etc\/apt/ },
    {
      said: "E: Sub-process /usr/bin/dpkg returned an error code (1)",
      error: /failed: E: Sub-process/,
      remedy: /by hand/,
    },
  ])("tells $error with the remedy", async ({ said, error, remedy }) => {
    await aptGet(`case "$*" in *install*) echo "${said}" >&2; exit 100;; esac`);
    const failed = aptInstall(["skopeo"], () => undefined);
    await expect(failed).rejects.toMatchObject({
      code: "ENVIRONMENT",
      what: expect.stringMatching(error) as string,
      remedy: expect.stringMatching(remedy) as string,
    });
    await expect(failed).rejects.toThrow(/apt-get install --no-install-recommends skopeo/);
  });

  it("waits for the lock of the package lists, which apt itself does not", async () => {
    await aptGet(`
      if [ "$(wc -l < ${dir}/calls)" = 1 ]; then
        echo "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 1 (apt-get)" >&2; exit 100
      fi`);
    await aptInstall(["skopeo"], () => undefined);
    const calls = (await readFile(join(dir, "calls"), "utf8")).trim().split("\n");
    expect(calls.map((call) => call.split(" ")[3])).toEqual(["update", "update", "install"]);
  });

  it("is an error on a machine without apt", async () => {
    vi.stubEnv("PATH", dir);
    await expect(aptInstall(["skopeo"], () => undefined)).rejects.toThrow(/has no apt-get/);
  });
});

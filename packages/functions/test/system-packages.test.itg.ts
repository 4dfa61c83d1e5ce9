import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type Client, type Container } from "@dagger.io/dagger";
import { startEngine } from "@tgo/local-engine";
import type { Platform } from "@tgo/catalog";
import { startBaseMirror } from "@tgo/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withSystemPackages } from "@tgo/builders";
import { createContext, type Context } from "../src/context.js";

const BASE = "docker.io/library/python:3.11-slim";
const PLATFORMS: readonly Platform[] = ["linux/amd64", "linux/arm64"];

/** A user and a random machine-id made by scripts, a preinst with debconf, a library for the loader's cache. */
const PACKAGES = ["dbus", "libmagic1", "ucf"];

let folder: string;
let mirror: { readonly host: string; stop(): Promise<void> };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-packages-"));
  mirror = await startBaseMirror({ log: (text) => process.stdout.write(`${text}\n`) });
});

afterAll(async () => {
  await mirror.stop();
  await rm(folder, { recursive: true });
});

/** A run of an engine with a folder of its own: everything there is made anew. */
async function cold<T>(name: string, use: (context: Context, client: Client) => Promise<T>): Promise<T> {
  const engine = await startEngine({ home: join(folder, name) });
  process.env.DAGGER_SESSION_PORT = String(engine.port);
  process.env.DAGGER_SESSION_TOKEN = engine.token;
  const results: T[] = [];
  try {
    await connect(async (client) => {
      const catalog = { services: {}, mirrors: { images: { "docker.io": mirror.host } } };
      results.push(
        await use(
          await createContext(
            client,
            { catalog, pipeline: "test" },
            {},
            { local: true, progress: () => undefined },
          ),
          client,
        ),
      );
    });
  } finally {
    await engine.close();
  }
  if (results.length === 0) throw new Error("the session ended early");
  return results[0] as T;
}

async function install(
  context: Context,
  platform: Platform,
  packages: readonly string[],
): Promise<{ container: Container; notes: string[]; base: Container }> {
  const base = await context.bases.container(BASE, platform);
  const service = { build: { base: BASE, packages } };
  return { base, ...(await withSystemPackages({ context, service }, { platform, container: base })) };
}

const run = (container: Container, command: string): Promise<string> =>
  container.withExec(["sh", "-ec", command]).stdout();

/** What was left by a tool, and is of no use in an image. */
const LEFTOVERS = "find /var/log /var/lib/apt/lists /var/cache/apt /var/cache/ldconfig /tmp -type f | sort";

describe("Debian packages of a service", () => {
  it("are as apt leaves them on either platform, and the same bytes when made again", async () => {
    const build = (context: Context): Promise<string[]> =>
      Promise.all(
        PLATFORMS.map(async (platform) =>
          (await install(context, platform, PACKAGES)).container.asTarball().digest(),
        ),
      );
    const first = await cold("first", async (context) => {
      for (const platform of PLATFORMS) {
        const { container, base, notes } = await install(context, platform, PACKAGES);
        // Documentation that the base leaves out is missing for dpkg too.
        expect(
          await run(
            container,
            "dpkg --audit; apt-get check -qq; dpkg --verify dbus ucf | grep -v ' /usr/share/' || true",
          ),
        ).toBe("");
        expect(await run(container, "dpkg-query -W -f '${db:Status-Abbrev}' dbus ucf libmagic1")).toBe(
          "ii ii ii ",
        );
        expect(await run(container, "ldconfig -p | grep -c libmagic.so.1")).toBe("1\n");
        // Day 3652 is 1980-01-01.
        expect(await run(container, "grep ^messagebus: /etc/passwd /etc/shadow")).toMatch(
          /passwd:messagebus:x:\d+:\d+:.*\n.*shadow:messagebus:[!*]+:3652:/,
        );
        expect(await run(container, "cat /etc/machine-id || true; ls /var/lib/dbus; readlink /lib")).toBe(
          "usr/lib\n",
        );
        expect(await run(container, LEFTOVERS)).toBe(await run(base, LEFTOVERS));
        if (platform === context.native) expect(notes).toEqual([]);
        else expect(notes.join()).toMatch(/^linux\/\w+: installation scripts of dbus.*, ucf ran/);
      }
      return build(context);
    });
    expect(await cold("second", build)).toEqual(first);
  });

  it("that do not exist are told with the nearest name; a base without apt is told", () =>
    cold("first", async (context, client) => {
      await expect(install(context, "linux/arm64", ["libmagik1"])).rejects.toThrow(
        /no package libmagik1 for linux\/arm64\n.*libmagic1/,
      );
      const container = client.container().withRootfs(client.directory());
      const service = { build: { base: "docker.io/library/alpine:3", packages: ["curl"] } };
      await expect(
        withSystemPackages({ context, service }, { platform: context.native, container }),
      ).rejects.toThrow(/alpine:3: the base image has no apt/);
    }));
});

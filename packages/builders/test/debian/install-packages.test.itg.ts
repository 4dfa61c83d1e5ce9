import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Container } from "@dagger.io/dagger";
import type { Platform } from "@tgo/catalog";
import { startBaseMirror } from "@tgo/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BuildContext } from "../../src/build-context.js";
import { withSystemPackages, withSystemPackagesOfAll } from "../../src/debian/install-packages.js";
import { buildContext, startSession } from "../support/build-context.js";

const BASE = "docker.io/library/python:3.11-slim";
const PLATFORMS: readonly Platform[] = ["linux/amd64", "linux/arm64"];

/**
 * Scripts that create a user and a random machine-id, a preinst with debconf, a library for the loader's cache; large files
 * that are the same on both platforms.
 */
const PACKAGES = ["dbus", "fonts-liberation", "libmagic1", "ucf"];

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

/** Runs a function with an engine whose cache is in the named folder. */
async function runCold<T>(name: string, use: (context: BuildContext) => Promise<T>): Promise<T> {
  const session = await startSession({ home: join(folder, name) });
  try {
    const catalog = { services: {}, mirrors: { images: { "docker.io": mirror.host } } };
    return await use(await buildContext(session.client, { catalog }));
  } finally {
    await session.stop();
  }
}

interface Result {
  readonly platform: Platform;
  readonly base: Container;
  readonly container: Container;
  readonly notes: readonly string[];
}

async function installOnAll(context: BuildContext): Promise<Result[]> {
  const variants = await Promise.all(
    PLATFORMS.map(async (platform) => ({
      platform,
      container: await context.bases.container(BASE, platform),
    })),
  );
  const service = { build: { base: BASE, packages: PACKAGES } };
  const installed = await withSystemPackagesOfAll({ context, service }, variants);
  return variants.flatMap(({ platform, container: base }, index) => {
    const result = installed[index];
    return result === undefined ? [] : [{ platform, base, ...result }];
  });
}

interface Layer {
  readonly digest: string;
  /** Bytes, compressed. */
  readonly size: number;
}

async function layersOf(container: Container): Promise<readonly Layer[]> {
  const archive = join(folder, "image.tar");
  await container.asTarball().export(archive);
  const read = async (path: string): Promise<string> =>
    (await promisify(execFile)("tar", ["-xOf", archive, path])).stdout;
  const blob = ({ digest }: { digest: string }): string => `blobs/${digest.replace(":", "/")}`;
  const index = JSON.parse(await read("index.json")) as { manifests: [{ digest: string }] };
  const manifest = JSON.parse(await read(blob(index.manifests[0]))) as { layers: Layer[] };
  return manifest.layers;
}

const run = (container: Container, command: string): Promise<string> =>
  container.withExec(["sh", "-ec", command]).stdout();

/** Lists files that tools left and that are useless in an image. */
const LEFTOVERS = "find /var/log /var/lib/apt/lists /var/cache/apt /var/cache/ldconfig /tmp -type f | sort";

describe("Debian packages of a service", () => {
  it("are installed as by apt on both platforms, and reproducible", async () => {
    const build = async (context: BuildContext): Promise<string[]> =>
      Promise.all((await installOnAll(context)).map(({ container }) => container.asTarball().digest()));
    const first = await runCold("first", async (context) => {
      const results = await installOnAll(context);
      for (const { platform, container, base, notes } of results) {
        // dpkg reports the documentation that the base excludes as missing.
        expect(
          await run(
            container,
            "dpkg --audit; apt-get check -qq; dpkg --verify dbus fonts-liberation ucf | grep -v ' /usr/share/' || true",
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
        else expect(notes.join()).toMatch(/^linux\/\w+: maintainer scripts of dbus.*, ucf ran/);
      }
      const layers: (readonly Layer[])[] = [];
      for (const { container } of results) layers.push(await layersOf(container));
      const [ours = [], theirs = []] = layers;
      const shared = ours.filter(({ digest }) => theirs.some((layer) => layer.digest === digest));
      expect(
        shared.some(({ size }) => size > 500_000),
        "the fonts are in a layer of both",
      ).toBe(true);
      return build(context);
    });
    expect(await runCold("second", build)).toEqual(first);
  });

  it("that do not exist are reported with the nearest name; so is a base without apt", () =>
    runCold("first", async (context) => {
      const platform = "linux/arm64";
      const arm = { platform, container: await context.bases.container(BASE, platform) } as const;
      const misspelt = { build: { base: BASE, packages: ["libmagik1"] } };
      await expect(withSystemPackages({ context, service: misspelt }, arm)).rejects.toThrow(
        /no package libmagik1 for linux\/arm64\n.*libmagic1/,
      );
      const { client } = context;
      const container = client.container().withRootfs(client.directory());
      const service = { build: { base: "docker.io/library/alpine:3", packages: ["curl"] } };
      await expect(
        withSystemPackages({ context, service }, { platform: context.native, container }),
      ).rejects.toThrow(/alpine:3: the base image has no apt/);
    }));
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client, Container } from "@dagger.io/dagger";
import { startRegistry, type LocalRegistry } from "@tgo/testing";
import { afterAll, beforeAll } from "vitest";
import { busybox, busyboxRoot } from "./busybox.js";
import { platform, session } from "./session.js";

/** What the engines of a test file share, available from its first test on. */
export interface Fixture {
  /** The engines' home: results are kept between the tests of a file. */
  readonly home: string;
  readonly registry: LocalRegistry;
  /** The busybox image in the registry, for amd64 and arm64. */
  readonly image: string;
  /** A container of that image, for amd64. */
  readonly base: (client: Client) => Container;
  /** Makes a directory of the host with these files, until the file's last test. */
  readonly folder: (files: Record<string, string>) => string;
}

/** Starts a registry with the busybox image, and an engine's home, for the tests of this file. */
export function setUp(): Fixture {
  const folders: string[] = [];
  const made: { home: string; registry?: LocalRegistry; image: string } = { home: "", image: "" };
  const folder = (files: Record<string, string>): string => {
    const path = mkdtempSync(join(tmpdir(), "tgo-engine-files-"));
    folders.push(path);
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(path, name, ".."), { recursive: true });
      writeFileSync(join(path, name), text);
    }
    return path;
  };

  beforeAll(async () => {
    const registry = await startRegistry({ auth: "none" });
    made.registry = registry;
    made.home = folder({});
    made.image = await session({ home: made.home }, ({ client }) => {
      const variant = (architecture: "amd64" | "arm64"): Container =>
        client
          .container({ platform: platform(`linux/${architecture}`) })
          .withRootfs(client.host().directory(busyboxRoot(architecture), { exclude: ["home"] }))
          .withDirectory("/home/app", client.directory(), { owner: "app" })
          .withEnvVariable("PATH", "/bin")
          .withDefaultArgs(["sh"]);
      return client
        .container()
        .publish(`${registry.host}/busybox:1`, { platformVariants: [variant("amd64"), variant("arm64")] });
    });
  }, 120_000);

  afterAll(async () => {
    await made.registry?.stop();
    for (const path of folders) rmSync(path, { recursive: true, force: true });
  });

  return {
    get home() {
      return made.home;
    },
    get registry() {
      if (made.registry === undefined) throw new Error("the registry starts before the first test");
      return made.registry;
    },
    get image() {
      return made.image;
    },
    base: (client) => busybox(client, made.image),
    folder,
  };
}

export const sh = (container: Container, script: string): Container =>
  container.withExec(["sh", "-c", script]);

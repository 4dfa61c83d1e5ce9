import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Report } from "@tgo/report";
import { giveAway, runOn, twoHosts, type HostSettings } from "@tgo/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHarness, ROOT, SAMPLES, type Harness } from "./harness.js";

const CA_BUNDLE = process.env.NODE_EXTRA_CA_CERTS;

/** A service built by its own Dockerfile, whose image has files of the source only. */
const FILES = {
  title: "Files",
  build: { strategy: "dockerfile" },
  image: { user: "101:101" },
  smoke: { exec: [["cat", "/srv/files/sub/data.txt"]] },
};
const SERVICES = ["tgo-platform", "tgo-widget-app", "files"];

// On Dagger's engine, nothing of the caller's shell reaches a step.
describe("the same commit on two very different hosts", () => {
  const { plain, odd, folder, remove } = twoHosts();
  let harness: Harness;

  /** Clones the repository as a user of that host does. */
  const clone = (host: HostSettings, repository: string): string => {
    const path = join(host.cwd, "a clone");
    const command = `${host.shell}; exec git clone --quiet "$@"`;
    execFileSync("/bin/sh", ["-c", command, "sh", "--no-hardlinks", repository, path]);
    // The checkout itself and its .git stay the caller's: git reads no other.
    if (host === odd) giveAway(join(path, "repos"));
    return path;
  };

  const makeRepository = (): string => {
    const root = join(folder, "repository");
    const copy = (name: string, path: string): void => {
      cpSync(join(SAMPLES, name), join(root, path), { recursive: true });
    };
    copy("tgo-platform", "repos/tgo-platform");
    copy("tgo-widget-app", "repos/tgo-widget-js");
    const own = join(root, "repos/files");
    mkdirSync(join(own, "sub"), { recursive: true });
    writeFileSync(join(own, "sub/data.txt"), "data\n");
    writeFileSync(join(own, "ünïcode ı"), "i\n");
    writeFileSync(
      join(own, "Dockerfile"),
      "FROM docker.io/library/nginx:alpine\nCOPY . /srv/files/\nWORKDIR /srv/files\n",
    );
    const git = (...args: string[]): void => {
      execFileSync("git", ["-C", root, "-c", "user.name=A", "-c", "user.email=a@b", ...args]);
    };
    git("init", "--quiet");
    git("add", "--all");
    git("commit", "--quiet", "--message=one");
    return root;
  };

  const publish = async (name: "plain" | "odd", repository: string): Promise<Report> => {
    const host = { plain, odd }[name];
    const source = clone(host, repository);
    const registries = {
      ...{ ghcr: null, dockerhub: null, acr: null, basic: null, bearer: null },
      // A repository for each host: nothing is found that the other one published.
      open: { host: harness.registries.open.host, repository: `${name}/{service}` },
    };
    const catalog = await harness.catalog(`${name}.json`, { registries, services: { files: FILES } });
    const output = await runOn(
      { ...host, env: { ...host.env, XDG_CACHE_HOME: join(host.cwd, "the cache") } },
      [
        ...[join(ROOT, "apps/tgo/bin/tgo.js"), "publish", "--engine", "local", "--format", "json"],
        ...["--service", SERVICES.join(), "--platform", "linux/amd64", "--source", source],
        ...["--catalog", catalog, ...(CA_BUNDLE === undefined ? [] : ["--ca-bundle", CA_BUNDLE])],
      ],
    );
    return JSON.parse(output) as Report;
  };

  beforeAll(async () => {
    harness = await createHarness("local");
  });
  afterAll(async () => {
    await harness.close();
    remove();
  });

  it("gives one digest for each strategy, and leaves nothing in the current folder", async () => {
    const repository = makeRepository();
    const reports = [await publish("plain", repository), await publish("odd", repository)];
    const [one, other] = reports.map(({ services }) =>
      services.map(({ service, state, tag, digest }) => ({ service, state, tag, digest })),
    );
    expect(one?.map(({ service, state }) => [service, state])).toEqual(
      SERVICES.map((name) => [name, "published"]),
    );
    expect(other).toEqual(one);
    const own = ["a clone", "bin", "containers.conf", "docker", "profile", "python", "the cache"];
    expect(readdirSync(odd.cwd).sort()).toEqual(own);
  });
});

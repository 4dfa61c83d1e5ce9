import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Secret } from "@dagger.io/dagger";
import type { EngineEvent } from "@tgo/local-engine";
import { startBaseMirror } from "@tgo/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Built } from "../../src/build-request.js";
import { buildVariants } from "../../src/build-variants.js";
import { prepareBuild } from "../../src/prepare-build.js";
import { buildContext, startSession, writeProject, type EngineSession } from "../support/build-context.js";
import { startNpmRegistry, type NpmRegistry } from "../support/npm-registry.js";

/** A hash that no package has, so no cache contains it. */
const UNKNOWN = `sha512-${"A".repeat(86)}==`;

const PNPM = "10.34.8";

interface Stoppable {
  stop(): Promise<void>;
}

let folder: string;
let registry: NpmRegistry;
let mirror: Stoppable & { readonly host: string };
let session: EngineSession;
let events: EngineEvent[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-web-"));
  [mirror, registry] = await Promise.all([
    startBaseMirror({ log: (text) => process.stdout.write(`${text}\n`) }),
    startNpmRegistry(
      [
        {
          name: "words",
          version: "1.0.0",
          fields: { optionalDependencies: { "words-linux": "1.0.0" } },
          files: { "index.js": "module.exports = 'hello';" },
        },
        { name: "words-linux", version: "1.0.0", files: { "index.js": "" } },
        { name: "cli", version: "1.0.0", fields: { scripts: { postinstall: "exit 3" } }, files: {} },
      ],
      [`pnpm@${PNPM}`],
    ),
  ]);
  session = await startSession({
    home: join(folder, "engine"),
    reachable: [registry.url],
    onEvent: (event) => events.push(event),
  });
});

afterAll(async () => {
  await session.stop();
  await Promise.all([mirror.stop(), registry.stop()]);
  await rm(folder, { recursive: true, force: true });
});

type Files = Record<string, string>;

const BUILD = `
const fs = require("node:fs");
fs.mkdirSync("dist/assets", { recursive: true });
fs.writeFileSync("dist/index.html", "<h1>" + require("words") + "</h1>" + process.env.VITE_NAME);
fs.writeFileSync("dist/assets/app-D9ePsCub.js", "1;".repeat(2000));
fs.writeFileSync("dist/assets/settings.js", "2");
`;

const manifest = (fields: object = {}): string =>
  JSON.stringify({ scripts: { build: "node build.js" }, dependencies: { words: "^1.0.0" }, ...fields });

const yarnLock = (integrity = registry.integrity("words")): string => `# yarn lockfile v1


words@^1.0.0:
  version "1.0.0"
  resolved "https://registry.yarnpkg.com/words/-/words-1.0.0.tgz"
  integrity ${integrity}
  optionalDependencies:
    words-linux "1.0.0"
`;

const npmLock = (): string =>
  JSON.stringify({
    lockfileVersion: 3,
    packages: {
      "": { dependencies: { words: "^1.0.0" } },
      "node_modules/words": {
        version: "1.0.0",
        resolved: "https://registry.npmjs.org/words/-/words-1.0.0.tgz",
        integrity: registry.integrity("words"),
      },
    },
  });

const pnpmLock = (): string => `lockfileVersion: '9.0'
settings:
  autoInstallPeers: true
  excludeLinksFromLockfile: false
importers:
  .:
    dependencies:
      words:
        specifier: ^1.0.0
        version: 1.0.0
packages:
  words@1.0.0:
    resolution: {integrity: ${registry.integrity("words")}}
snapshots:
  words@1.0.0: {}
`;

interface Change {
  readonly build?: object;
  readonly image?: object;
  readonly npm?: string;
  readonly npmrc?: Secret;
}

/** Builds a project for the engine's own platform; `ran` lists the commands that ran. */
async function build(files: Files, change: Change = {}): Promise<Built & { readonly ran: string[] }> {
  const { client } = session;
  const source = await writeProject(folder, files);
  const service = {
    title: "Web",
    build: { strategy: "static-web", values: { VITE_NAME: { default: "x" } }, ...change.build },
    image: change.image ?? {},
  };
  const mirrors = { images: { "docker.io": mirror.host }, npm: change.npm ?? registry.url };
  events = [];
  const all = await buildContext(client, {
    catalog: { services: { web: service }, registries: {}, mirrors },
    ...(change.npmrc === undefined ? {} : { npmrc: change.npmrc }),
  });
  const context = { ...all, platforms: [all.native] };
  const { web } = context.catalog.services;
  if (web === undefined) throw new Error("no service");
  const request = await prepareBuild(context, "web", web, { source: client.host().directory(source) });
  const built = await buildVariants(request);
  const ran = events
    .filter(({ kind, state }) => kind === "exec" && state === "start")
    .map(({ title }) => title);
  return { ...built, ran };
}

async function page(built: Built): Promise<string> {
  const [variant] = built.variants;
  return (await variant?.container.file("/usr/share/nginx/html/index.html").contents()) ?? "";
}

const yarnProject = (): Files => ({ "package.json": manifest(), "yarn.lock": yarnLock(), "build.js": BUILD });

describe("pages", () => {
  it("are built with yarn through the mirror, noting packages without a hash check", async () => {
    const built = await build(yarnProject());
    expect(await page(built)).toBe("<h1>hello</h1>x");
    expect(built.notes.join()).toContain("words-linux@1.0.0");
  });

  it("are built with npm; the project's own scripts see the source but not the registry's credentials", async () => {
    const address = registry.url.replace("http:", "");
    const npmrc = session.client.setSecret("npmrc", `${address}/:_authToken=secret-word\n`);
    const scripts = { build: "node build.js", prepare: "node build.js && mv dist/index.html first.html" };
    const built = await build(
      {
        "package.json": manifest({ scripts }),
        "package-lock.json": npmLock(),
        "build.js": `${BUILD}
if (fs.existsSync("first.html")) fs.copyFileSync("first.html", "dist/first.html");
if (fs.existsSync("/root/.npmrc") && fs.readFileSync("/root/.npmrc", "utf8") !== "") throw new Error("credentials");`,
      },
      { npmrc },
    );
    expect(registry.requests.map(({ authorization }) => authorization)).toContain("Bearer secret-word");
    expect(await built.variants[0]?.container.directory("/usr/share/nginx/html").entries()).toContain(
      "first.html",
    );
    expect(built.notes.join()).not.toContain("no entry");
  });

  it("are built with the pnpm that package.json names", async () => {
    const [, hash = ""] = registry.integrity("pnpm").split("-");
    const hex = Buffer.from(hash, "base64").toString("hex");
    const files = { "pnpm-lock.yaml": pnpmLock(), "build.js": BUILD };
    const named = (digest: string): Files => ({
      ...files,
      "package.json": manifest({ packageManager: `pnpm@${PNPM}+sha512.${digest}` }),
    });
    expect(await page(await build(named(hex)))).toBe("<h1>hello</h1>x");
    await expect(build(named("0".repeat(128)))).rejects.toThrow(
      /the hash of pnpm .* differs from packageManager/,
    );
  });

  it("are rebuilt after an edit to the source, without installing anything", async () => {
    await build(yarnProject());
    const { ran } = await build({
      ...yarnProject(),
      "package.json": manifest({ version: "2.0.0", scripts: { build: "node build.js 2" } }),
      "build.js": `${BUILD}\n// edited`,
    });
    expect(ran).toContain("yarn --silent run build");
    expect(ran.filter((command) => command.includes("install"))).toEqual([]);
  });
});

describe("nginx", () => {
  it("serves them as an unprivileged user, and makes only hashed names cacheable", async () => {
    // In a network of its own.
    const port = 8081;
    const files = {
      ...yarnProject(),
      "public/assets/photo-IMG_0001.jpg": "",
      "build.js": `${BUILD}\nfs.cpSync("public", "dist", { recursive: true });`,
    };
    const { variants } = await build(files, { image: { ports: [port], user: "101" } });
    const paths = [
      "/",
      "/some/route",
      "/assets/app-D9ePsCub.js",
      "/assets/settings.js",
      "/assets/photo-IMG_0001.jpg",
      "/assets/none.js",
    ];
    const ask = paths.map(
      (path) =>
        `curl -si -H "Accept-Encoding: gzip" -o /tmp/body -D - http://127.0.0.1:${port}${path} | tr -d '\\r'`,
    );
    const output = await variants[0]?.container
      .withExec(["sh", "-c", `nginx -t && nginx && ${ask.join(" && ")}`])
      .stdout();
    const [home, route, hashed, plain, copied, missing] = (output ?? "")
      .split(/^(?=HTTP\/1\.1 \d)/m)
      // nginx logs to the same pipe, so a log line may precede the first response.
      .filter((part) => part.startsWith("HTTP/"));
    for (const response of [home, route, plain, copied])
      expect(response).toMatch(/^HTTP\/1.1 200[^]*Cache-Control: no-cache$/m);
    expect(hashed).toMatch(/^Cache-Control: public, max-age=31536000, immutable$/m);
    expect(hashed).toMatch(/^Content-Encoding: gzip$/m);
    expect(hashed).toMatch(/^X-Content-Type-Options: nosniff$/m);
    expect(missing).toMatch(/^HTTP\/1.1 404/);
    expect(missing).not.toContain("Cache-Control");
  });
});

describe("a build is rejected with one message if", () => {
  const lockOf = (change: (lock: string) => string): Files => ({
    "package.json": manifest(),
    "package-lock.json": change(npmLock()),
  });
  it.each<[string, () => Files, Change, RegExp]>([
    [
      "npm's lock does not match package.json",
      () => ({
        "package.json": manifest({ dependencies: { words: "^2.0.0" } }),
        "package-lock.json": npmLock(),
      }),
      {},
      /package-lock\.json of web does not match package\.json: it lacks words@\^2\.0\.0 \(it has 1\.0\.0\)[^]*Run npm install/,
    ],
    [
      "pnpm's lock does not match package.json",
      () => ({
        "package.json": manifest({ dependencies: { words: "^2.0.0" } }),
        "pnpm-lock.yaml": pnpmLock(),
      }),
      {},
      /pnpm-lock\.yaml of web does not match package\.json\n[^]*Run pnpm install/,
    ],
    [
      "yarn gets a package with another hash",
      () => ({ ...yarnProject(), "yarn.lock": yarnLock(UNKNOWN) }),
      {},
      /the hash of a package of web differs from yarn\.lock\n[^]*words/,
    ],
    [
      "npm gets a package with another hash",
      () => lockOf((lock) => lock.replace(/sha512-[^"]+/, UNKNOWN)),
      {},
      /words@1\.0\.0: .*hash of a package of web differs from package-lock\.json/,
    ],
    [
      "pnpm gets a package with another hash",
      () => ({
        "package.json": manifest(),
        "pnpm-lock.yaml": pnpmLock().replace(/sha512-[^}]+/, UNKNOWN),
      }),
      {},
      /the hash of a package of web differs from pnpm-lock\.yaml\n[^]*words/,
    ],
    [
      "a locked package is gone",
      () => ({
        "package.json": manifest({ dependencies: { gone: "^1.0.0" } }),
        "package-lock.json": npmLock()
          .replaceAll("words", "gone")
          .replace(/sha512-[^"]+/, UNKNOWN),
      }),
      {},
      /is not in the registry\n[^]*404[^]*gone/,
    ],
    [
      "the builder's Node is too old",
      () => ({ ...yarnProject(), "package.json": manifest({ engines: { node: ">=99" } }) }),
      {},
      /requires Node >=99, but the builder image has 20\.[^]*node:99-alpine/,
    ],
    [
      "the script fails",
      () => ({ ...yarnProject(), "build.js": "console.log('so far'); throw new Error('no way')" }),
      {},
      /script "build" of web failed with exit code 1\n[^]*so far[^]*no way[^]*Run yarn run build/,
    ],
    [
      "it creates no output folder",
      yarnProject,
      { build: { output: "public" } },
      /did not create the folder public\n[^]*build\.output[^]*It wrote: dist/,
    ],
    [
      "the output has no page",
      yarnProject,
      { build: { output: "dist/assets" } },
      /dist\/assets of web has no index\.html/,
    ],
  ])("%s", async (_, files, change, message) => {
    await expect(build(files(), change)).rejects.toThrow(message);
  });

  it("the mirror is unreachable", async () => {
    // Nothing on this machine serves the discard protocol.
    const npm = "http://localhost:9";
    const fresh = { "package.json": manifest({ dependencies: { cli: "^1.0.0" } }) };
    const yarn = {
      ...fresh,
      "yarn.lock": yarnLock()
        .replaceAll("words", "cli")
        .replace(/ +optionalDependencies:[^]*/, ""),
    };
    await expect(build(yarn, { npm })).rejects.toThrow(/registry cannot be reached[^]*mirrors\.npm/);
    const files = {
      ...fresh,
      "package-lock.json": npmLock()
        .replaceAll("words", "cli")
        .replace(/sha512-[^"]+/, UNKNOWN),
    };
    await expect(build(files, { npm })).rejects.toThrow(/registry cannot be reached[^]*mirrors\.npm/);
  });
});

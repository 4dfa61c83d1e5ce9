import { type FinalImage, finaliseImage, pushImage } from "@tgo/image";
import type { Problem } from "@tgo/errors";
import type { Report } from "@tgo/report";
import { errorResponse, MemoryRegistry, stageImage } from "@tgo/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ReportError } from "../src/function-failed.js";
import { Pipelines } from "../src/pipelines.js";
import { fakeEngine } from "./support/fake-engine.js";
import { RegistryServer } from "./support/registry-servers.js";
import { runLine } from "./support/run-line.js";

const PLATFORMS = ["linux/amd64", "linux/arm64"] as const;
const SERVICES = ["one", "two"] as const;

let servers: RegistryServer[] = [];
let client = fakeEngine();

beforeEach(async () => {
  client = fakeEngine();
  servers = await Promise.all([1, 2, 3].map(() => RegistryServer.start()));
  for (const version of ["1.0.0", "1.1.0"])
    for (const service of SERVICES) for (const server of servers) await release(server, service, version);
});

afterEach(() => {
  for (const server of servers) server.stop();
});

/** Images by service and version, and where their layers are: the same for all tests. */
const staging = new MemoryRegistry("staging.test").client();
const images = new Map<string, Promise<FinalImage>>();

async function build(service: string, version: string): Promise<FinalImage> {
  const variants = PLATFORMS.map((platform) => ({ platform, labels: { version } }));
  await stageImage(staging, service, version, variants);
  return finaliseImage({
    source: { registry: staging, repository: service, reference: version },
    platforms: PLATFORMS,
    created: new Date(0),
    annotations: {
      "org.opencontainers.image.version": version,
      "org.opencontainers.image.revision": "0123456789abcdef0123456789abcdef01234567",
    },
  });
}

/** Writes a version and its floating tags, as a release does. */
async function release({ memory }: RegistryServer, service: string, version: string): Promise<void> {
  const key = `${service} ${version}`;
  const image = images.get(key) ?? build(service, version);
  images.set(key, image);
  const from = { registry: staging, repository: service };
  const repository = `tgoai/${service}`;
  await pushImage(await image, { to: { registry: memory.client(), repository }, tag: version, from });
  for (const tag of [version.replace(/\.\d+$/, ""), "1", "latest"])
    memory.manifests.set(`${repository} ${tag}`, manifestAt(memory, `${repository} ${version}`));
}

function manifestAt({ manifests }: MemoryRegistry, key: string): { mediaType: string; bytes: Uint8Array } {
  const found = manifests.get(key);
  if (found === undefined) throw new Error(`no ${key}`);
  return found;
}

/** The digest of a platform's manifest in an index. */
function childOf(memory: MemoryRegistry, key: string, platform: string): string {
  const { manifests } = JSON.parse(Buffer.from(manifestAt(memory, key).bytes).toString()) as {
    manifests: { digest: string; platform: { architecture: string } }[];
  };
  return manifests.find((each) => platform === `linux/${each.platform.architecture}`)?.digest ?? "";
}

function memoryOf(at: number): MemoryRegistry {
  const server = servers[at];
  if (server === undefined) throw new Error(`no registry ${at}`);
  return server.memory;
}

function product(): ConstructorParameters<typeof Pipelines>[1] {
  const service = { title: "A service", build: { strategy: "dockerfile" } };
  const registries = Object.fromEntries(
    servers.map(({ host }, at) => [`r${at}`, { host, repository: "tgoai/{service}" }]),
  );
  return {
    catalog: { services: { one: service, two: service }, registries },
    pipeline: "test",
    buildHash: "test",
  };
}

const create = (...args: ConstructorParameters<typeof Pipelines>): Pipelines => new Pipelines(...args);
const run = (line: string): Promise<string> => runLine(line, create, [client, product()]);

/** The report of a command that must fail. */
async function failing(line: string): Promise<Report> {
  const error = await run(line).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ReportError))
    throw new Error(`${line} did not fail with a report`, { cause: error });
  return error.report;
}

function problems({ services, problems: own = [] }: Report): Problem[] {
  return [
    ...own,
    ...services.flatMap((service) => [
      ...service.problems,
      ...service.registries.flatMap((registry) => registry.problems),
    ]),
  ];
}

/** The command lines in the remedies, each once. */
function commands(report: Report): string[] {
  const lines = problems(report).flatMap(({ remedy = "" }) => remedy.split("\n"));
  return [...new Set(lines.filter((line) => line.startsWith("dagger call ")))];
}

const everything = (): Record<string, string | undefined>[] =>
  servers.flatMap((server) => SERVICES.map((service) => server.tags(`tgoai/${service}`)));

const VERIFY = "dagger call verify --service all --tag";

describe("The remedy of verify, run as it stands, mends what verify found and nothing else:", () => {
  const stale = (tag: string, is: string): void => {
    const { manifests } = memoryOf(1);
    const other = manifests.get(`tgoai/one ${is}`);
    if (other === undefined) manifests.delete(`tgoai/one ${tag}`);
    else manifests.set(`tgoai/one ${tag}`, other);
  };
  const lose = (platform: string): void => {
    const memory = memoryOf(1);
    memory.manifests.delete(`tgoai/one ${childOf(memory, "tgoai/one 1.1.0", platform)}`);
  };
  const loseLayers = (): void => {
    const { blobs } = memoryOf(1);
    for (const key of blobs.keys()) if (key.startsWith("tgoai/one ")) blobs.delete(key);
  };

  it.each([
    [
      "a stale latest",
      "latest",
      () => {
        stale("latest", "1.0.0");
      },
    ],
    [
      "a missing latest",
      "latest",
      () => {
        stale("latest", "none");
      },
    ],
    [
      "a missing version",
      "1.1.0",
      () => {
        stale("1.1.0", "none");
      },
    ],
    [
      "a missing platform",
      "latest",
      () => {
        lose("linux/arm64");
      },
    ],
    [
      "missing layers",
      "latest",
      () => {
        loseLayers();
      },
    ],
  ] as const)("%s", async (_, tag, damage) => {
    const before = everything();
    damage();
    const report = await failing(`${VERIFY} ${tag}`);
    expect(report.next).toBeUndefined();
    const [command, ...others] = commands(report).filter((line) => !line.includes("--allow-backwards"));
    expect(others).toEqual([]);
    await run(command ?? "");
    await run(`${VERIFY} ${tag}`);
    expect(everything()).toEqual(before);
  });

  it("a latest that was moved back on purpose is moved back everywhere with its flag", async () => {
    for (const { memory } of servers.slice(0, 2)) {
      for (const service of SERVICES) {
        for (const tag of ["latest", "1"])
          memory.manifests.set(`tgoai/${service} ${tag}`, manifestAt(memory, `tgoai/${service} 1.0.0`));
      }
    }
    const back = commands(await failing(`${VERIFY} latest`)).filter((line) =>
      line.includes("--allow-backwards"),
    );
    expect(back).toEqual(
      SERVICES.map((service) => `dagger call promote --service ${service} --version 1.0.0 --allow-backwards`),
    );
    for (const line of back) await run(line);
    await run(`${VERIFY} latest`);
    expect(everything().map(({ latest }) => latest)).toEqual(everything().map((tags) => tags["1.0.0"]));
  });
});

describe("status", () => {
  it("names an image that is not whole, and its remedy makes it whole", async () => {
    const before = everything();
    const memory = memoryOf(2);
    memory.manifests.delete(`tgoai/two ${childOf(memory, "tgoai/two latest", "linux/arm64")}`);
    const status = JSON.parse(await run("dagger call status")) as {
      status: { disagreements: { kind: string; told: string; remedy: string; registries: string[] }[] };
    };
    expect(status.status.disagreements).toMatchObject([
      {
        kind: "incomplete",
        service: "two",
        registries: ["r2"],
        told: expect.stringContaining("linux/arm64 is incomplete") as string,
      },
    ]);
    const line = status.status.disagreements[0]?.remedy.split("\n").at(-1) ?? "";
    expect(line).toBe("dagger call promote --service two --version 1.1.0");
    await run(line);
    expect(await run("dagger call status")).toContain('"disagreements": []');
    expect(everything()).toEqual(before);
  });
});

describe("The next: line of a failed run", () => {
  it("finishes a promotion once the registry is back, for the same services", async () => {
    memoryOf(1).intercept = ({ method }) =>
      method === "PUT" || method === "POST"
        ? errorResponse(403, "DENIED", "read-only for maintenance")
        : undefined;
    const before = everything();
    const { next = "" } = await failing(
      "dagger call promote --service one --version 1.0.0 --allow-backwards",
    );
    expect(next).toBe("dagger call promote --service one --version 1.0.0 --allow-backwards --format json");
    memoryOf(1).intercept = () => undefined;
    await run(next);
    const after = everything();
    // Only service one moved, and only its floating tags.
    expect(after.filter((_, at) => at % 2 === 1)).toEqual(before.filter((_, at) => at % 2 === 1));
    expect(after[0]?.latest).toBe(before[0]?.["1.0.0"]);
  });

  it("is not printed for tags that a newer version has: the remedy names the flag", async () => {
    const before = everything();
    const report = await failing("dagger call promote --service one --version 1.0.0");
    expect(report).toMatchObject({ ok: false, services: [{ state: "not moved" }] });
    expect(report.next).toBeUndefined();
    expect(problems(report)).toEqual([
      {
        code: "CONFLICT",
        what: "NOT MOVED to 1.0.0: 1, latest stay on a newer version (1.1.0)",
        remedy: "To move them back to 1.0.0, add --allow-backwards.",
      },
    ]);
    expect(everything()).toEqual(before);
    await run("dagger call promote --service one --version 1.0.0 --allow-backwards");
  });
});

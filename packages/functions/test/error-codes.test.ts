import { buildVariants, refuseUnreleasable, type BuildContext } from "@tgo/builders";
import { applyOverride, type Service } from "@tgo/catalog";
import { ERROR_CODES, problemOf, type Problem, type TgoErrorCode } from "@tgo/errors";
import { scanDirectory, verifyImage } from "@tgo/image";
import { Progress } from "@tgo/progress";
import { testVariant } from "@tgo/proof";
import { parseVersion, planRelease, releaseState, tagTargets } from "@tgo/release-rules";
import { errorResponse, MemoryRegistry, stageImage } from "@tgo/testing";
import { describe, expect, it } from "vitest";
import { Pipelines } from "../src/pipelines.js";
import { fakeEngine } from "./support/fake-engine.js";

function serviceOf(fields: object): Service {
  const services = { "tgo-api": { title: "API", build: { strategy: "dockerfile" }, ...fields } };
  const service = applyOverride({ services }).services["tgo-api"];
  if (service === undefined) throw new Error("no service");
  return service;
}

const API = serviceOf({});

function plan(
  catalog: object,
  names: readonly string[],
  options: ConstructorParameters<typeof Pipelines>[2] = {},
): Promise<string> {
  const services = { "tgo-api": { title: "API", build: { strategy: "dockerfile" } } };
  const product = { catalog: { services, ...catalog }, pipeline: "test", buildHash: "test" };
  return new Pipelines(fakeEngine(), product, options).plan(names, "text");
}

/** Asks a registry for a manifest. */
function manifest(set: (registry: MemoryRegistry) => void, host = "ghcr.io"): Promise<unknown> {
  const registry = new MemoryRegistry(host);
  set(registry);
  return registry.client().manifest("tgoai/tgo-api", "1.2.3");
}

function variantContext(): BuildContext {
  const engine = fakeEngine();
  const bases = { container: () => engine.container() };
  return {
    client: engine,
    catalog: { machines: { "linux/amd64": [], "linux/arm64": [] } },
    host: { output: () => ["exec linux/amd64 sh -c ./configure", "checking for cc"] },
    bases,
    native: "linux/amd64",
    progress: new Progress(() => undefined),
  } as unknown as BuildContext;
}

const FAILED_RUN = Object.assign(new Error("exit code: 2"), {
  exitCode: 2,
  stdout: "",
  stderr: "cc: no such file",
});

/** Builds a Dockerfile whose last step ends as given. */
function built(
  ended: () => Promise<unknown>,
  {
    dockerfile = "FROM scratch\nCOPY a /a\n",
    service = API,
  }: { dockerfile?: string; service?: Service } = {},
): Promise<unknown> {
  const file = {
    contents: () =>
      dockerfile === "" ? Promise.reject(new Error("no such file")) : Promise.resolve(dockerfile),
  };
  const container = { sync: ended };
  const directory = {
    file: () => file,
    withNewFile: () => directory,
    dockerBuild: () => container,
  } as unknown;
  return buildVariants({
    context: variantContext(),
    name: "tgo-api",
    service,
    source: { directory, hidden: [], entries: ["Dockerfile"] },
    platforms: ["linux/amd64"],
    values: {},
    notes: [],
  } as unknown as Parameters<typeof buildVariants>[0]);
}

/** Releases a version whose tags the registry has already. */
function releasedBefore(text: string, present: Parameters<typeof tagTargets>[0]): unknown {
  const version = parseVersion(text);
  const gate = { open: true, digests: new Map([["tgo-api", "sha256:aa"]]), later: [] } as const;
  const plan = planRelease({ version, gate, registries: [{ registry: "ghcr", required: true }] });
  const tags = tagTargets(present, "tgo-api");
  const { steps } = releaseState(
    [{ service: "tgo-api", registry: "ghcr", contents: { state: "seen", tags } }],
    plan,
  );
  const refused = steps.flatMap(({ status }) => (status.state === "refused" ? [status.error] : []));
  throw refused[0] ?? new Error("not refused");
}

/** Verifies a tag in registries that hold these platforms under it. */
async function verified(...held: readonly (readonly string[])[]): Promise<unknown> {
  const targets = await Promise.all(
    held.map(async (platforms, at) => {
      const registry = new MemoryRegistry(["ghcr.io", "docker.io"][at] ?? "").client();
      const variants = platforms.map((platform) => ({ platform, labels: { at: String(at) } }));
      await stageImage(registry, "tgoai/tgo-api", "1.2.3", variants);
      return { name: ["ghcr", "hub"][at] ?? "", registry, repository: "tgoai/tgo-api", reference: "1.2.3" };
    }),
  );
  const found = await verifyImage({ targets, platforms: ["linux/amd64", "linux/arm64"] });
  return found.targets.flatMap(({ problems }) => problems).find(({ code }) => code === "VERIFY");
}

/** Checks a variant in which this file is for another machine. */
function foreign(path: string, owner: string): Promise<unknown> {
  const file = { path, machine: "x86-64", package: owner };
  const tools = {
    withNewFile: () => tools,
    withMountedDirectory: () => tools,
    withExec: () => tools,
    stdout: () => Promise.resolve(JSON.stringify({ files: 9, elf: 3, foreign: [file] })),
  };
  const context = { ...variantContext(), bases: { container: () => Promise.resolve(tools) } };
  const container = {
    platform: () => Promise.resolve("linux/arm64"),
    envVariable: () => Promise.resolve(undefined),
    rootfs: () => ({}),
  };
  return testVariant(context as unknown as BuildContext, { name: "tgo-api", service: API }, {
    platform: "linux/arm64",
    container,
  } as unknown as Parameters<typeof testVariant>[2]);
}

const answers =
  (status: number, code: string, message: string, headers: Record<string, string> = {}) =>
  (registry: MemoryRegistry): void => {
    registry.intercept = () => errorResponse(status, code, message, headers);
  };

const unreleasable = (uncommitted?: object) => () => {
  const source = { revision: "dev-0123456789ab", uncommitted };
  refuseUnreleasable({ source, version: "1.2.3" } as unknown as Parameters<typeof refuseUnreleasable>[0]);
};

/** For each code's examples in order, something that ends with it: a problem, or what is thrown. */
const SITUATIONS: Readonly<Record<TgoErrorCode, readonly (() => unknown)[]>> = {
  USAGE: [
    () => plan({}, ["tgo-apo"]),
    () => plan({}, ["tgo-api"], { registry: ["nonsense"] }),
    () => plan({}, ["tgo-api"], { platform: ["linux/sparc"] }),
    () => plan({}, ["tgo-api"], { registry: [""] }),
  ],
  CATALOG: [() => plan({ platforms: [] }, ["tgo-api"]), () => plan({ registrys: {} }, ["tgo-api"])],
  SOURCE: [
    unreleasable(),
    unreleasable({ changed: ["app/main.py"] }),
    () => built(() => Promise.resolve(), { dockerfile: "" }),
  ],
  BUILD: [
    () => built(() => Promise.reject(FAILED_RUN)),
    () => {
      const service = serviceOf({ build: { strategy: "dockerfile", timeoutSeconds: 1 } });
      return built(() => new Promise(() => undefined), { service });
    },
  ],
  CHECK: [
    () => {
      const container = fakeEngine().container();
      return testVariant(
        variantContext(),
        { name: "tgo-api", service: API },
        { platform: "linux/arm64", container },
      );
    },
    () => foreign("/app/.venv/lib/python3.11/site-packages/np/_fast.so", "np 1.0.0 (python)"),
  ],
  SMOKE: [
    () => {
      const service = serviceOf({ smoke: { machine: ["sh", "-c", "", "", "aarch64"] } });
      const container = {
        platform: () => Promise.resolve("linux/amd64"),
        envVariable: () => Promise.resolve(undefined),
        rootfs: () => ({}),
        exists: () => Promise.resolve(false),
        withExec: () => ({ stdout: () => Promise.resolve("aarch64\n") }),
      } as unknown as Parameters<typeof testVariant>[2]["container"];
      return testVariant(
        { ...variantContext(), client: {} } as unknown as BuildContext,
        { name: "tgo-api", service },
        { platform: "linux/amd64", container },
      );
    },
  ],
  UNAUTHORIZED: [
    () => new MemoryRegistry("ghcr.io", { auth: "private" }).anonymous().manifest("tgoai/tgo-api", "1.2.3"),
    () => manifest(answers(401, "UNAUTHORIZED", "authentication required", { "www-authenticate": "Basic" })),
  ],
  NOT_FOUND: [() => manifest(() => undefined)],
  DENIED: [
    () => manifest(answers(403, "DENIED", "permission denied")),
    () => {
      const registry = new MemoryRegistry("docker.io");
      answers(403, "DENIED", "tag is immutable and cannot be overwritten")(registry);
      const index = "application/vnd.oci.image.index.v1+json";
      return registry.client().putManifest("tgoai/tgo-api", "latest", index, Buffer.from("{}"));
    },
  ],
  UNAVAILABLE: [
    () => manifest(answers(503, "UNAVAILABLE", "down")),
    () => manifest(answers(429, "TOOMANYREQUESTS", "too many requests", { "retry-after": "3600" })),
    () =>
      manifest((registry) => {
        const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
        registry.intercept = () => Promise.reject(new TypeError("fetch failed", { cause: refused }));
      }),
  ],
  INVALID_RESPONSE: [
    () =>
      manifest((registry) => {
        const headers = { "content-type": "text/html" };
        registry.intercept = () => new Response("<html>Welcome to nginx!</html>", { status: 200, headers });
      }),
    async () => {
      const registry = new MemoryRegistry("ghcr.io");
      registry.blobs.set("tgoai/tgo-api sha256:" + "0".repeat(64), Buffer.from("other"));
      const body = await registry
        .client()
        .blob("tgoai/tgo-api", { digest: `sha256:${"0".repeat(64)}`, size: 5 });
      await new Response(body).arrayBuffer();
    },
  ],
  VERIFY: [
    () => verified(["linux/amd64"]),
    () => verified(["linux/amd64", "linux/arm64"], ["linux/amd64", "linux/arm64"]),
  ],
  CONFLICT: [
    () => releasedBefore("1.2.3", [{ tag: "1.2.3", digest: "sha256:bb" }]),
    () => releasedBefore("1.2.3", [{ tag: "latest", digest: "sha256:bb" }]),
  ],
  ENVIRONMENT: [
    () => scanDirectory("/no/such", "linux/amd64"),
    () => {
      throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    },
  ],
  INTERRUPTED: [
    () => {
      const registry = new MemoryRegistry("ghcr.io").client({ signal: AbortSignal.abort() });
      return registry.manifest("tgoai/tgo-api", "1.2.3");
    },
  ],
  INTERNAL: [() => (undefined as unknown as { digest: string }).digest],
};

async function problemIn(situation: () => unknown): Promise<Problem> {
  try {
    return (await situation()) as Problem;
  } catch (error) {
    return problemOf(error);
  }
}

describe("every error code is reached, and its documented examples are what is printed:", () => {
  it.each(Object.keys(SITUATIONS) as TgoErrorCode[])("%s", async (code) => {
    const found = await Promise.all(SITUATIONS[code].map(problemIn));
    expect(found.map(({ code: of, what, remedy }) => ({ code: of, what, remedy }))).toEqual(
      ERROR_CODES[code].examples.map(({ what, remedy }) => ({ code, what, remedy })),
    );
  });
});

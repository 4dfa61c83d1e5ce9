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

function plan(catalog: object, names: readonly string[]): Promise<string> {
  const services = { "tgo-api": { title: "API", build: { strategy: "dockerfile" } } };
  const product = { catalog: { services, ...catalog }, pipeline: "test", buildHash: "test" };
  return new Pipelines(fakeEngine(), product, {}).plan(names, "text");
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
    bases,
    catalog: applyOverride({ services: {} }),
    native: "linux/amd64",
    progress: new Progress(() => undefined),
  } as unknown as BuildContext;
}

async function failedBuild(): Promise<unknown> {
  const failure = Object.assign(new Error("exit code: 2"), {
    exitCode: 2,
    stdout: "",
    stderr: "cc: no such file",
  });
  const file = { contents: () => Promise.resolve("FROM scratch\nCOPY a /a\n") };
  const container = { sync: () => Promise.reject(failure) };
  const directory = {
    file: () => file,
    withNewFile: () => directory,
    dockerBuild: () => container,
  } as unknown;
  return buildVariants({
    context: variantContext(),
    name: "tgo-api",
    service: API,
    source: { directory, hidden: [], entries: ["Dockerfile"] },
    platforms: ["linux/amd64"],
    values: {},
    notes: [],
  } as unknown as Parameters<typeof buildVariants>[0]);
}

function releasedBefore(): unknown {
  const version = parseVersion("1.2.3");
  const gate = { open: true, digests: new Map([["tgo-api", "sha256:aa"]]), later: [] } as const;
  const plan = planRelease({ version, gate, registries: [{ registry: "ghcr", required: true }] });
  const tags = tagTargets([{ tag: "1.2.3", digest: "sha256:bb" }], "tgo-api");
  const { steps } = releaseState(
    [{ service: "tgo-api", registry: "ghcr", contents: { state: "seen", tags } }],
    plan,
  );
  const [step] = steps;
  throw step?.status.state === "refused" ? step.status.error : new Error("not refused");
}

async function onePlatform(): Promise<unknown> {
  const registry = new MemoryRegistry("ghcr.io").client();
  await stageImage(registry, "tgoai/tgo-api", "1.2.3", [{ platform: "linux/amd64" }]);
  const target = { name: "ghcr", registry, repository: "tgoai/tgo-api", reference: "1.2.3" };
  const { targets } = await verifyImage({ targets: [target], platforms: ["linux/amd64", "linux/arm64"] });
  return targets[0]?.problems.find(({ code }) => code === "VERIFY");
}

/** For each code, something that ends with it: a problem, or what is thrown. */
const SITUATIONS: Readonly<Record<TgoErrorCode, () => unknown>> = {
  USAGE: () => plan({}, ["tgo-apo"]),
  CATALOG: () => plan({ platforms: [] }, ["tgo-api"]),
  SOURCE: () => {
    const source = { revision: "dev-0123456789ab", uncommitted: undefined };
    refuseUnreleasable({ source, version: "1.2.3" } as unknown as Parameters<typeof refuseUnreleasable>[0]);
  },
  BUILD: failedBuild,
  CHECK: () => {
    const container = fakeEngine().container();
    return testVariant(
      variantContext(),
      { name: "tgo-api", service: API },
      { platform: "linux/arm64", container },
    );
  },
  SMOKE: () => {
    const service = serviceOf({ smoke: { machine: ["sh", "-c", "", "", "aarch64"] } });
    const container = {
      platform: () => Promise.resolve("linux/amd64"),
      rootfs: () => ({}),
      envVariable: () => Promise.resolve(""),
      exists: () => Promise.resolve(false),
      withExec: () => ({ stdout: () => Promise.resolve("aarch64\n") }),
    } as unknown as Parameters<typeof testVariant>[2]["container"];
    return testVariant(
      variantContext(),
      { name: "tgo-api", service },
      { platform: "linux/amd64", container },
    );
  },
  UNAUTHORIZED: () =>
    new MemoryRegistry("ghcr.io", { auth: "private" }).anonymous().manifest("tgoai/tgo-api", "1.2.3"),
  NOT_FOUND: () => manifest(() => undefined),
  DENIED: () =>
    manifest((registry) => (registry.intercept = () => errorResponse(403, "DENIED", "permission denied"))),
  UNAVAILABLE: () =>
    manifest((registry) => (registry.intercept = () => errorResponse(503, "UNAVAILABLE", "down"))),
  INVALID_RESPONSE: () =>
    manifest((registry) => {
      registry.intercept = () =>
        new Response("<html>Welcome to nginx!</html>", {
          status: 200,
          headers: { "content-type": "text/html" },
        });
    }),
  VERIFY: onePlatform,
  CONFLICT: releasedBefore,
  ENVIRONMENT: () => scanDirectory("/no/such", "linux/amd64"),
  INTERRUPTED: () => {
    const registry = new MemoryRegistry("ghcr.io").client({ signal: AbortSignal.abort() });
    return registry.manifest("tgoai/tgo-api", "1.2.3");
  },
  INTERNAL: () => (undefined as unknown as { digest: string }).digest,
};

async function problemIn(situation: () => unknown): Promise<Problem> {
  try {
    return (await situation()) as Problem;
  } catch (error) {
    return problemOf(error);
  }
}

describe("every error code is reached, and its documented example is what is printed:", () => {
  it.each(Object.keys(SITUATIONS) as TgoErrorCode[])("%s", async (code) => {
    const { code: found, what, remedy } = await problemIn(SITUATIONS[code]);
    const { example } = ERROR_CODES[code];
    expect({ code: found, what, remedy }).toEqual({ code, what: example.what, remedy: example.remedy });
  });
});

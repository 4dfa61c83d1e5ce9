import type { Client, File } from "@dagger.io/dagger";
import { provenanceOf, type BuildInputs } from "@tgo/attestation";
import { isTgoError } from "@tgo/errors";
import { Registry } from "@tgo/registry";
import { stageImage } from "@tgo/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HostOptions } from "../src/host.js";
import { scanBill } from "../src/images/scan-bill.js";
import { Pipelines } from "../src/pipelines.js";
import { RegistryServer } from "./support/registry-servers.js";

let server: RegistryServer;
let image: string;
let digest: string;

const status = (architecture: string): string =>
  `Package: libpq5\nStatus: install ok installed\nArchitecture: ${architecture}\nVersion: 15.1-1\n`;

beforeAll(async () => {
  server = await RegistryServer.start();
  image = `${server.host}/t/app:1.2.3`;
  const variants = ["amd64", "arm64"].map((architecture) => ({
    platform: `linux/${architecture}`,
    layers: [[{ path: "var/lib/dpkg/status", content: status(architecture) }]],
  }));
  ({ digest } = await stageImage(new Registry({ host: server.host }), "t/app", "1.2.3", variants));
});

afterAll(() => {
  server.stop();
});

/** No engine at all: a call of its client would fail. */
const noClient = {} as unknown as Client;
const product = { catalog: { services: {} }, pipeline: "test", buildHash: "fedcba9876543210" };

function pipelines(platform: readonly string[], host: HostOptions = {}): Pipelines {
  return new Pipelines(noClient, product, platform.length === 0 ? {} : { platform }, {
    progress: () => undefined,
    local: true,
    ...host,
  });
}

async function failure(run: Promise<unknown>): Promise<string> {
  const error: unknown = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isTgoError(error)) throw new Error("it did not fail as it should", { cause: error });
  return `${error.code}: ${error.what}`;
}

const cyclonedx = { format: "cyclonedx", scan: false } as const;

describe("sbom", () => {
  it("is of the platform that was chosen, and the same every time", async () => {
    const text = await pipelines(["linux/arm64"]).sbom(image, cyclonedx);
    expect(JSON.parse(text)).toMatchObject({
      bomFormat: "CycloneDX",
      components: [{ purl: "pkg:deb/debian/libpq5@15.1-1?arch=arm64" }],
    });
    expect(await pipelines(["linux/arm64"]).sbom(image, cyclonedx)).toBe(text);
  });

  it("is SPDX, if asked for", async () => {
    const text = await pipelines(["linux/amd64"]).sbom(image, { format: "spdx", scan: false });
    expect(JSON.parse(text)).toMatchObject({ spdxVersion: "SPDX-2.3", name: "image linux/amd64" });
  });

  it("is refused for several platforms at once", async () => {
    expect(await failure(pipelines([]).sbom(image, cyclonedx))).toBe(
      "USAGE: a bill of materials is of one platform, and the image has several",
    );
  });

  it("shows what a scanner of this machine says of it", async () => {
    const documents: string[] = [];
    const scan = (exitCode: number): HostOptions => ({
      scan: (document) => {
        documents.push(document);
        return Promise.resolve({
          program: "grype",
          output: "libpq5  CVE-1\n",
          errors: "too severe\n",
          exitCode,
        });
      },
    });
    const scanned = { ...cyclonedx, scan: true };
    expect(await pipelines(["linux/amd64"], scan(0)).sbom(image, scanned)).toBe("libpq5  CVE-1\n");
    await expect(pipelines(["linux/amd64"], scan(2)).sbom(image, scanned)).rejects.toMatchObject({
      name: "FunctionFailed",
      message: "libpq5  CVE-1\ntoo severe\ngrype ended with 2\n",
    });
    expect(documents).toEqual(Array(2).fill(await pipelines(["linux/amd64"]).sbom(image, cyclonedx)));
  });

  it("says so where there is no scanner", async () => {
    const run = pipelines(["linux/amd64"], { scan: () => Promise.resolve(undefined) });
    expect(await failure(run.sbom(image, { ...cyclonedx, scan: true }))).toBe(
      "ENVIRONMENT: nothing was scanned: there is no scanner on this machine",
    );
  });

  it("is scanned in a container, in a module", async () => {
    const calls: unknown[][] = [];
    const record =
      (name: string) =>
      (...args: unknown[]): unknown => {
        calls.push([name, ...args]);
        return container;
      };
    const container = {
      ...Object.fromEntries(
        ["from", "withNewFile", "withEnvVariable", "withExec"].map((name) => [name, record(name)]),
      ),
      stdout: () => Promise.resolve("No vulnerabilities found\n"),
      stderr: () => Promise.resolve(""),
      exitCode: () => Promise.resolve(0),
    };
    const client = { container: () => container } as unknown as Client;
    expect(await scanBill({ client, host: {} }, "{}")).toBe("No vulnerabilities found\n");
    expect(calls.map(([name, first]) => [name, first])).toEqual([
      ["from", expect.stringMatching(/^docker\.io\/anchore\/grype:v/)],
      ["withNewFile", "/bill.json"],
      ["withEnvVariable", "TGO_SCANNED_AT"],
      ["withExec", ["/grype", "sbom:/bill.json"]],
    ]);
  });
});

describe("reproduce", () => {
  const inputs: BuildInputs = {
    service: "app",
    definition: {},
    platforms: ["linux/amd64"],
    source: {
      repository: "https://example.com/app",
      path: "app",
      revision: "dev-0123456789ab",
      hash: "a".repeat(64),
      created: "2026-01-02T03:04:05.000Z",
      locks: {},
    },
    bases: {},
    values: {},
    version: undefined,
    buildHash: product.buildHash,
    key: "0011223344556677",
  };
  const file = (content: unknown): File =>
    ({
      name: () => Promise.resolve("provenance.json"),
      contents: () => Promise.resolve(typeof content === "string" ? content : JSON.stringify(content)),
    }) as unknown as File;
  const run = (provenance?: File): Promise<string> =>
    failure(pipelines([]).reproduce(image, provenance === undefined ? {} : { provenance }, "text"));
  const statement = (subject: string): object => ({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ digest: { sha256: subject.slice("sha256:".length) } }],
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: other,
  });
  const other = provenanceOf({ ...inputs, buildHash: "0000000000000000" }, "https://example.com");

  it("is refused without provenance", async () => {
    expect(await run()).toBe("NOT_FOUND: the image has no provenance");
  });

  it("is refused for an image of another version of the pipelines", async () => {
    const expected =
      "USAGE: the image was built by another version of the pipelines: its build hash is 0000000000000000, this one's is fedcba9876543210";
    expect(await run(file(other))).toBe(expected);
    expect(await run(file(statement(digest)))).toBe(expected);
  });

  it.each([
    ["{", "USAGE: the provenance is no JSON"],
    ["{}", "USAGE: the provenance cannot be read: buildDefinition: must be an object"],
    [statement(`sha256:${"0".repeat(64)}`), "USAGE: the provenance is of another image"],
  ])("is refused for %j", async (content, expected) => {
    expect(await run(file(content))).toBe(expected);
  });
});

import type { Client, File, Service } from "@dagger.io/dagger";
import { isTgoError } from "@tgo/errors";
import { AARCH64, BOTH_PLATFORMS, elfObject, stageImage } from "@tgo/testing";
import { Registry } from "@tgo/registry";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ReportError } from "../src/function-failed.js";
import type { Options } from "../src/options.js";
import type { ImageTree } from "@tgo/inspection";
import type { Report } from "@tgo/report";
import { Pipelines } from "../src/pipelines.js";
import { failedReport } from "./support/failed-report.js";
import { RegistryServer } from "./support/registry-servers.js";

/** A program of another platform's package, and for pages of 4 KiB only. */
const SMALL_PAGES = elfObject({ machine: AARCH64, type: 2, alignment: 4096 });

let server: RegistryServer;
let other: RegistryServer;
let digest: string;

beforeAll(async () => {
  [server, other] = await Promise.all([RegistryServer.start(), RegistryServer.start()]);
  for (const { host } of [server, other])
    for (const tag of ["1.2.3", "1.2", "latest"])
      ({ digest } = await stageImage(
        new Registry({ host }),
        "a/app",
        tag,
        BOTH_PLATFORMS.map((platform) => ({ platform })),
        { attestation: tag === "9.9" },
      ));
  await stageImage(new Registry({ host: server.host }), "a/app", "1.1.0", [{ platform: "linux/amd64" }]);
  await stageImage(new Registry({ host: server.host }), "a/odd", "1", [
    { platform: "linux/amd64" },
    { platform: "linux/arm64", layers: [[{ path: "opt/small", content: SMALL_PAGES }]] },
  ]);
});

afterAll(() => {
  server.stop();
  other.stop();
});

/** No engine at all: a call of its client would fail. */
const noClient = {} as unknown as Client;

function pipelines(options: Options = {}, services = {}): Pipelines {
  const product = { catalog: { services }, pipeline: "test", buildHash: "test" };
  return new Pipelines(noClient, product, options, {
    local: true,
    command: "npx --no-install tgo",
    progress: () => undefined,
  });
}

const VERIFY = { elf: true, fast: false };

async function failure(run: Promise<unknown>): Promise<string> {
  const error: unknown = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isTgoError(error)) throw new Error("it did not fail as it should", { cause: error });
  return `${error.code}: ${error.what}`;
}

describe("verify of references", () => {
  it("needs no engine, names every check, and compares all references", async () => {
    const reference = [`${server.host}/a/app:1.2.3`, `${other.host}/a/app:latest`];
    const report = JSON.parse(await pipelines().verify([], { ...VERIFY, reference }, "json")) as {
      services: { checks: { name: string; state: string }[] }[];
    };
    expect(report).toMatchObject({
      command: "verify",
      ok: true,
      services: [
        {
          service: "a/app",
          state: "verified",
          digest,
          registries: [
            { registry: server.host, reference: `${server.host}/a/app:1.2.3`, state: "verified" },
            { registry: other.host, reference: `${other.host}/a/app:latest`, state: "verified" },
          ],
          variants: BOTH_PLATFORMS.map((platform) => ({ platform, elf: { files: 2, elf: 1 } })),
        },
      ],
    });
    const names = report.services[0]?.checks.map(({ name }) => name);
    expect(names).toContain("diff_ids");
    expect(names).toContain("same digest");
    for (const format of ["text", "markdown", "html"] as const) {
      const text = await pipelines().verify([], { ...VERIFY, reference }, format);
      expect(text).toContain("ELF machines");
      expect(text).toContain("3 match the unpacked layers");
    }
  });

  it("fails where they differ, and where a tag has another digest than the reference", async () => {
    const differ = [`${server.host}/a/app:1.2.3`, `${server.host}/a/app:1.1.0`];
    const report = await failedReport(pipelines().verify([], { ...VERIFY, reference: differ }, "text"));
    const problems = report.services[0]?.registries.flatMap((row) => row.problems) ?? [];
    expect(problems.map(({ what }) => what)).toEqual([expect.stringContaining("it is sha256:")]);
    const pinned = [`${server.host}/a/app:1.1.0@${digest}`];
    const moved = await failedReport(pipelines().verify([], { ...VERIFY, reference: pinned }, "text"));
    expect(moved.services[0]?.registries[0]?.problems[0]?.what).toContain(`expected ${digest}`);
    await pipelines().verify([], { ...VERIFY, reference: [`${server.host}/a/app:1.2@${digest}`] }, "text");
  });

  it("--platform demands platforms", async () => {
    const reference = [`${server.host}/a/app:1.1.0`];
    await pipelines({ platform: ["linux/amd64"] }).verify([], { ...VERIFY, reference }, "text");
    const failed = pipelines({ platform: ["linux/arm64"] }).verify([], { ...VERIFY, reference }, "text");
    await expect(failed).rejects.toThrow(ReportError);
  });

  it("differences are a failure with --strict-parity, and machines that cannot load a file are noted", async () => {
    const reference = [`${server.host}/a/odd:1`];
    const report = JSON.parse(await pipelines().verify([], { ...VERIFY, reference }, "json")) as Report;
    const checks = new Map((report.services[0]?.checks ?? []).map((check) => [check.name, check]));
    expect(checks.get("parity")?.state).toBe("note");
    expect(checks.get("promised machines")).toMatchObject({
      state: "note",
      evidence: expect.arrayContaining([
        "linux/arm64: all files can be loaded on Raspberry Pi 4, AWS Graviton2, Apple silicon",
        expect.stringContaining("that cannot be loaded on Raspberry Pi 5 (16 KiB pages)"),
      ]) as unknown,
    });
    const strict = pipelines().verify([], { ...VERIFY, reference, strictParity: true }, "json");
    expect((await failedReport(strict)).services[0]?.problems).toMatchObject([{ code: "CHECK" }]);
  });

  it("a second reference to the same image is not a second image", async () => {
    const same = `${server.host}/a/app:1.2.3`;
    const text = await pipelines().verify([], { ...VERIFY, fast: true, reference: [same, same] }, "json");
    expect(JSON.parse(text)).toMatchObject({ services: [{ registries: [{ reference: same }] }] });
    expect((JSON.parse(text) as { services: { registries: [] }[] }).services[0]?.registries).toHaveLength(1);
  });

  it("and --service are mutually exclusive, and one of them is needed", async () => {
    const reference = [`${server.host}/a/app:1.2.3`];
    expect(await failure(pipelines().verify(["x"], { ...VERIFY, reference }, "text"))).toBe(
      "USAGE: --service and references are mutually exclusive",
    );
    expect(await failure(pipelines().verify([], { ...VERIFY, reference, tag: "latest" }, "text"))).toBe(
      "USAGE: --tag and references are mutually exclusive",
    );
    expect(await failure(pipelines().verify([], VERIFY, "text"))).toBe(
      "USAGE: verify needs --service or the reference of an image",
    );
  });

  it("refuse the bare name of a service, which would be an image of Docker Hub", async () => {
    const api = { title: "x", build: { strategy: "dockerfile" } };
    const run = pipelines({}, { "our-api": api }).verify([], { ...VERIFY, reference: ["our-api"] }, "text");
    expect(await failure(run)).toBe('USAGE: "our-api" is a service, not the reference of an image');
  });

  it.each([
    ["https://ghcr.io/a/b:1", "it starts with a scheme"],
    ["ghcr.io/A/b", "must be lowercase"],
    ["ghcr.io/a/b:", '"" is not a tag'],
    ["ghcr.io/a/b@sha256:12", '"sha256:12" is not a digest'],
    ["ghcr.io:99999/a/b", "is not a registry host"],
    ["[::1/a/b", "is not"],
    ["-a", "is not"],
  ])("%s is one clear line", async (text, expected) => {
    const line = await failure(pipelines().verify([], { ...VERIFY, reference: [text] }, "text"));
    expect(line).toContain(`USAGE: "${text}" is not an image reference`);
    expect(line).toContain(expected);
    expect(line).not.toContain("\n");
  });
});

describe("inspect", () => {
  it("shows platforms, layers, history and the commands that pull them", async () => {
    const text = await pipelines().inspect([`${server.host}/a/app:1.2.3`], { contents: false }, "text");
    expect(text).toContain(`${server.host}/a/app:1.2.3\n  digest`);
    expect(text).toContain("1 shared");
    expect(text).toContain("step 0");
    for (const platform of BOTH_PLATFORMS)
      expect(text).toContain(`docker pull --platform ${platform} ${server.host}/a/app@${digest}`);
  });

  it("as JSON, of the platforms that are asked for", async () => {
    const options = { platform: ["linux/arm64"] };
    const text = await pipelines(options).inspect(
      [`${server.host}/a/app:1.2.3`],
      { contents: false },
      "json",
    );
    expect(JSON.parse(text)).toMatchObject({
      images: [{ digest, kind: "index", platforms: [{ platform: "linux/arm64" }], referrers: [], notes: [] }],
    });
  });

  it("--contents reads layers: what the platforms differ in, and which machines take every file", async () => {
    const reference = `${server.host}/a/odd:1`;
    const run = pipelines().inspect([reference], { contents: true }, "json");
    const { images } = JSON.parse(await run) as { images: ImageTree[] };
    const [amd64, arm64] = images[0]?.platforms ?? [];
    expect(images[0]?.differences).not.toEqual([]);
    expect(amd64?.contents).toMatchObject({ files: 2, elf: { "x86-64": 1 }, keptOut: [] });
    expect(arm64?.contents).toMatchObject({ files: 1, elf: { aarch64: 1 } });
    expect(arm64?.contents?.keptOut).toContainEqual({
      machine: "Raspberry Pi 5 (16 KiB pages)",
      because: "/opt/small: it is aligned for pages of 4 KiB",
    });
    const text = await pipelines().inspect([reference], { contents: true }, "text");
    expect(text).toMatch(/ files fit +Raspberry Pi 4/);
    expect(text).toMatch(/ kept out +Raspberry Pi 5 \(16 KiB pages\): \/opt\/small/);
  });

  it("needs a reference", async () => {
    expect(await failure(pipelines().inspect([], { contents: false }, "text"))).toMatch(/^USAGE: /);
  });

  it("of what is not there is one clear line", async () => {
    expect(
      await failure(pipelines().inspect([`${server.host}/a/app:none`], { contents: false }, "text")),
    ).toBe('NOT_FOUND: there is no tag "none"');
  });
});

describe("connections to registries", () => {
  it("are the catalog's registries, in its order, whatever the order of the references", async () => {
    const registries = { one: "one.example", two: "two.example", three: "three.example" };
    const catalog = {
      name: () => Promise.resolve("tgo.catalog.json"),
      contents: () =>
        Promise.resolve(
          JSON.stringify({
            registries: {
              ...{ ghcr: null, dockerhub: null, acr: null },
              ...Object.fromEntries(
                Object.entries(registries).map(([name, host]) => [name, { host, repository: "a/{service}" }]),
              ),
            },
          }),
        ),
    } as unknown as File;
    const connection = ({ host }: RegistryServer): Service =>
      ({
        start: () => Promise.resolve(),
        endpoint: () => Promise.resolve(`http://${host}`),
      }) as unknown as Service;
    const options = { catalog, registryService: [server, other, other].map(connection) };
    const text = await pipelines(options).tags(["two.example/a/app", "one.example/a/app"], {}, "json");
    const { repositories } = JSON.parse(text) as { repositories: { groups: { tags: string[] }[] }[] };
    const released = ["1.2.3", "1.2", "latest"];
    expect(repositories.map(({ groups }) => groups.map(({ tags }) => tags))).toEqual([
      [released],
      [released, ["1.1.0"]],
    ]);
  });
});

describe("tags", () => {
  it("groups those of one digest, the newest version first", async () => {
    const text = await pipelines().tags([`${server.host}/a/app`], {}, "json");
    const { repositories } = JSON.parse(text) as {
      repositories: { groups: { digest: string; tags: string[] }[] }[];
    };
    expect(repositories[0]?.groups.map(({ tags }) => tags)).toEqual([["1.2.3", "1.2", "latest"], ["1.1.0"]]);
    expect(repositories[0]?.groups[0]?.digest).toBe(digest);
  });

  it.each([
    ["a tag", (host: string) => [`${host}/a/app:latest`, undefined]],
    ["a digest", (host: string) => [`${host}/a/app@${digest}`, undefined]],
    ["--digest", (host: string) => [`${host}/a/app`, digest]],
  ] as const)("of %s are the other names of its image", async (_, of) => {
    const [reference = "", wanted] = of(server.host);
    const text = await pipelines().tags([reference], { digest: wanted }, "text");
    expect(text).toContain("1.2.3, 1.2, latest");
    expect(text).not.toContain("1.1.0");
  });

  it("refuses what is no digest, and says when no tag has it", async () => {
    expect(await failure(pipelines().tags([`${server.host}/a/app`], { digest: "sha256:1" }, "text"))).toMatch(
      /^USAGE: --digest/,
    );
    const none = `sha256:${"0".repeat(64)}`;
    expect(await failure(pipelines().tags([`${server.host}/a/app`], { digest: none }, "text"))).toBe(
      "NOT_FOUND: no tag has this digest",
    );
    expect(await failure(pipelines().tags([`${server.host}/a/none`], {}, "text"))).toBe(
      "NOT_FOUND: the repository has no tags, or does not exist",
    );
  });
});

describe("diff", () => {
  it("ends with 0 for the same, and with its result as a failure for others", async () => {
    const [one, same, changed] = ["1.2.3", "latest", "1.1.0"].map((tag) => `${server.host}/a/app:${tag}`);
    const run = (a = "", b = ""): Promise<string> => pipelines().diff([a, b], { semantic: false }, "text");
    expect(await run(one, same)).toContain("No difference.");
    await expect(run(one, changed)).rejects.toMatchObject({
      name: "FunctionFailed",
      message: expect.stringContaining("linux/arm64: only A has it") as string,
    });
  });

  it("needs two references", async () => {
    const one = `${server.host}/a/app:1.2.3`;
    expect(await failure(pipelines().diff([one], { semantic: false }, "text"))).toBe(
      "USAGE: diff needs the references of two images, not 1",
    );
  });
});

describe("combine", () => {
  const flags = { adoptLatest: false, dryRun: false };

  it("writes the same index into several registries", async () => {
    const to = [`${server.host}/b/app:2.0.0`, `${other.host}/b/app:2.0.0`];
    const text = await pipelines().combine(
      [`${server.host}/a/app:1.2.3`],
      { ...flags, to, annotation: ["k=a=b"] },
      "json",
    );
    const result = JSON.parse(text) as { digest: string };
    expect(result).toMatchObject({
      annotations: { k: "a=b" },
      targets: [{ state: "done" }, { state: "done" }],
    });
    for (const registry of [server, other])
      expect(registry.tags("b/app")).toEqual({ "2.0.0": result.digest });
  });

  it.each([
    [{ to: ["ghcr.io/a/b"] }, '--to "ghcr.io/a/b" must name a tag'],
    [{ to: ["ghcr.io/a/b:1"], annotation: ["x"] }, '--annotation "x" is not NAME=value'],
    [{ to: ["ghcr.io/a/b:1"], annotation: ["x=1", "x=2"] }, "--annotation gives x twice"],
  ])("refuses %j", async (change, expected) => {
    const run = pipelines().combine([`${server.host}/a/app:1.2.3`], { ...flags, ...change }, "text");
    expect(await failure(run)).toContain(`USAGE: ${expected}`);
  });
});

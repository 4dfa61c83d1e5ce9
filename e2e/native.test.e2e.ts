import { generateKeyPairSync } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { digestOf } from "@tgo/registry";
import type { Report, ServiceReport } from "@tgo/report";
import { startFaultProxy, type FaultProxy } from "@tgo/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHarness, makeFolder, rawManifest, reportOf, tagsIn, type Harness } from "./harness.js";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const COMMIT = [
  "--revision",
  "0123456789abcdef0123456789abcdef01234567",
  "--created",
  "2026-03-04T05:06:07Z",
];
const NAMES = ["tgo-api", "tgo-ai", "tgo-platform", "tgo-rag", "tgo-web", "tgo-widget-app"];
const REPOSITORY = "tgoai/one";

/** Each machine has an engine with a state of its own, and they share nothing but the registries. */
describe("A release by a machine for each platform", () => {
  let harness: Harness;
  /** Before the first registry. */
  let proxy: FaultProxy;
  let common: string[];

  beforeAll(async () => {
    harness = await createHarness("local");
    const { open, basic } = harness.registries;
    proxy = await startFaultProxy(open.url);
    const source = await makeFolder(harness, "source", {
      "one/Dockerfile": "FROM docker.io/library/node:20-alpine\nCOPY Dockerfile /Dockerfile\n",
    });
    const key = join(harness.folder, "signing-key.pem");
    await writeFile(key, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
    const entry = (host: string): object => ({ host, repository: "tgoai/{service}", referrers: true });
    const catalog = await harness.catalog("native.json", {
      services: {
        ...Object.fromEntries(NAMES.map((name) => [name, null])),
        one: { title: "One", build: { strategy: "dockerfile" }, source: { path: "one" } },
      },
      registries: {
        ...{ ghcr: null, dockerhub: null, acr: null },
        open: entry(proxy.host),
        basic: entry(basic.host),
      },
      signatures: {
        keys: [{ name: "release", publicKey: publicKey.export({ type: "spki", format: "pem" }).toString() }],
      },
    });
    common = [
      ...["--version", "1.2.3", "--catalog", catalog, "--source", source, ...COMMIT],
      ...["--signing-key", `file:${key}`, "--format", "json"],
    ];
  });
  afterAll(async () => {
    await proxy.stop();
    await harness.close();
  });

  type Watch = NonNullable<Parameters<Harness["run"]>[1]>["watch"];
  const on = (machine: string, args: readonly string[], watch?: Watch): ReturnType<Harness["run"]> =>
    harness.run([...args, ...common], {
      env: { XDG_CACHE_HOME: join(harness.folder, machine) },
      ...(watch === undefined ? {} : { watch }),
    });
  /** Ends the process once its progress says this. */
  const when = (said: RegExp, signal: NodeJS.Signals): NonNullable<Watch> => {
    let isSent = false;
    return (stderr, kill) => {
      if (isSent || !said.test(stderr)) return;
      isSent = true;
      kill(signal);
    };
  };
  const only = ({ services }: Report): ServiceReport => {
    const [service] = services;
    if (service === undefined) throw new Error("no service");
    return service;
  };
  const tags = async (): Promise<string[]> => {
    const { open, basic } = harness.registries;
    const found = await Promise.all([open, basic].map((registry) => tagsIn(registry, REPOSITORY)));
    return found.flat().filter((tag) => !/^(sha256|staging)-/.test(tag));
  };
  const variant = (platform: string): string[] => [
    "build-variant",
    "--service",
    "one",
    "--platform",
    platform,
  ];
  const assemble = ["release", "--assemble"];

  it("says what to do after Ctrl-C", async () => {
    const { code, ...stopped } = await on("amd64", variant("linux/amd64"), when(/smoke/, "SIGINT"));
    expect(code).toBe(130);
    const [problem] = only(reportOf({ code, ...stopped })).problems;
    expect(problem?.code).toBe("INTERRUPTED");
    expect(problem?.remedy).toContain("Run the same command again");
  });

  it("has no tag of a variant before its proof, and the same command goes on after kill -9 between them", async () => {
    let kill: (signal: NodeJS.Signals) => void = () => undefined;
    proxy.add({
      on: ({ method, path }) => {
        const isTag = method === "PUT" && path.includes("/manifests/variant-");
        if (isTag) kill("SIGKILL");
        return isTag;
      },
      fault: { kind: "answer", status: 503, body: "" },
    });
    const { code } = await on("amd64", variant("linux/amd64"), (_, end) => (kill = end));
    expect(code).toBe(128);
    proxy.clear();
    expect(await tags()).toEqual([]);
    const proofs = (await tagsIn(harness.registries.open, REPOSITORY)).filter((tag) => /^sha256-/.test(tag));
    expect(proofs).not.toEqual([]);
    const again = await on("amd64", variant("linux/amd64"));
    expect(again.code, again.stderr).toBe(0);
    expect(await tags()).toEqual([expect.stringMatching(/^variant-[0-9a-f]{16}-linux-amd64$/)]);
  });

  it("writes no tag while a platform is missing, at once or after Ctrl-C", async () => {
    const before = await tags();
    const lacking = await on("assembler", assemble);
    expect(lacking.code).toBe(1);
    expect(only(reportOf(lacking)).problems).toMatchObject([
      {
        code: "NOT_FOUND",
        what: expect.stringContaining("no registry has linux/arm64") as string,
        remedy: expect.stringMatching(
          /build-variant .*--platform linux\/arm64 .*--version 1\.2\.3/,
        ) as string,
      },
    ]);
    const waiting = await on("assembler", [...assemble, "--wait", "10m"], when(/waiting up to/, "SIGINT"));
    expect(waiting.code).toBe(130);
    expect(only(reportOf(waiting)).problems).toMatchObject([{ code: "INTERRUPTED" }]);
    expect(waiting.durationMs).toBeLessThan(400_000);
    expect(await tags()).toEqual(before);
  });

  it("is assembled on a third machine when the builders are gone: version, latest and record", async () => {
    const waiting = on("assembler", [...assemble, "--wait", "10m"]);
    const arm = await on("arm64", variant("linux/arm64"));
    expect(arm.code, arm.stderr).toBe(0);
    await Promise.all(
      ["amd64", "arm64"].map((machine) => rm(join(harness.folder, machine), { recursive: true })),
    );
    const outcome = await waiting;
    expect(outcome.code, outcome.stderr).toBe(0);
    const report = reportOf(outcome);
    const { notes, digest } = only(report);
    expect(report).toMatchObject({ ok: true, version: "1.2.3", gate: { open: true } });
    expect(notes.filter((note) => note.includes(" ran "))).toEqual([
      "linux/amd64: ran natively, by the proof that key release signed",
      expect.stringMatching(
        /^linux\/arm64: ran under emulation by QEMU [\d.]+, by the proof that key release signed$/,
      ),
    ]);
    const { open, basic } = harness.registries;
    for (const registry of [open, basic])
      for (const tag of ["1.2.3", "1.2", "1", "latest"])
        expect(digestOf(await rawManifest(registry, `${REPOSITORY}:${tag}`))).toBe(digest);
    expect(report.record).toMatchObject({ version: "1.2.3", kind: "release", services: { one: { digest } } });
    expect(only(report).registries.map(({ record }) => record)).toEqual(["done", "done"]);
  });

  it("is not assembled twice, on any machine", async () => {
    const outcome = await on("fourth", assemble);
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(only(reportOf(outcome)).state).toBe("already there");
    expect(outcome.stderr).not.toMatch(/smoke|finalise/);
  });
});

import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Report, ServiceReport } from "@tgo/report";
import { startBaseMirror, startRegistry, type LocalRegistry } from "@tgo/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { onTwoEngines } from "./two-engines.js";

const SAMPLES = fileURLToPath(new URL("../../../examples/repos", import.meta.url));
/** Every week also `compiled`, tgo-api and tgo-web: on a machine that is emulated as a whole, they take many minutes. */
const SERVICES = (process.env.TGO_TEST_SERVICES ?? "tiny").split(",");
const LIMIT_MS = process.env.TGO_TEST_SERVICES === undefined ? 300_000 : 7_200_000;
const FILES = {
  "tiny/Dockerfile": "FROM docker.io/library/node:20-alpine\nRUN uname -m\nCOPY Dockerfile /Dockerfile\n",
  "compiled/pyproject.toml": '[project]\nname = "compiled"\nversion = "1.0"\nrequires-python = ">=3.11"\n',
  "compiled/requirements.txt":
    "crcmod==1.7 --hash=sha256:dc7051a0db5f2bd48665a990d3ec1cc305a466a77358ca4492826f41f283601e\n",
};
/** Files of the packages that are compiled, by service: all that may differ. */
const COMPILED: Readonly<Record<string, RegExp>> = {
  compiled: /\/site-packages\/crcmod[-/]/,
  "tgo-api": /\/site-packages\/crcmod[-/]/,
};
const TWO = ["--engine", "linux/amd64=local", "--engine", "linux/arm64=local"];

let folder: string;
let source: string;
let mirror: LocalRegistry;
let registry: LocalRegistry;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-two-engines-"));
  source = join(folder, "source");
  await cp(SAMPLES, source, { recursive: true });
  for (const [name, text] of Object.entries(FILES)) {
    await mkdir(join(source, dirname(name)), { recursive: true });
    await writeFile(join(source, name), text);
  }
  [mirror, registry] = await Promise.all([
    startBaseMirror({ log: (text) => process.stdout.write(`${text}\n`) }),
    startRegistry({ auth: "none" }),
  ]);
});

afterAll(async () => {
  await Promise.all([mirror, registry].map((each) => each.stop()));
  await rm(folder, { recursive: true, force: true });
});

/** A catalog with one registry. @param repository a prefix: under another one, nothing is found */
async function writeCatalog(repository: string): Promise<string> {
  const path = join(folder, `${repository}.json`);
  const only = { host: registry.host, repository: `${repository}/{service}`, referrers: true };
  const registries = { ghcr: null, dockerhub: null, acr: null, open: only };
  const services = {
    tiny: { title: "Tiny", build: { strategy: "dockerfile" } },
    compiled: { title: "Compiled", build: { strategy: "python" } },
  };
  const mirrors = { images: { "docker.io": mirror.host } };
  await writeFile(path, JSON.stringify({ registries, mirrors, services }));
  return path;
}

async function publish(repository: string, engines: readonly string[]): Promise<Report> {
  const args = ["publish", "--service", SERVICES.join(","), "--source", source, "--format", "json"];
  const catalog = await writeCatalog(repository);
  const { code, stdout, stderr } = await onTwoEngines(folder, [...args, "--catalog", catalog, ...engines]);
  if (code !== 0) throw new Error(stderr.slice(-4000));
  const report = JSON.parse(stdout) as Report;
  for (const { service, tag = "", digest = "", durationMs } of report.services)
    console.log(`${repository}: ${service} ${tag} ${digest}, ${Math.round(durationMs / 1000)} s`);
  return report;
}

/** What `diff` prints, as far as it is read here. */
interface ImageDiff {
  readonly index: readonly { readonly name: string }[];
  readonly platforms: readonly {
    readonly platform: string;
    readonly packages: readonly unknown[];
    readonly config: readonly unknown[];
    readonly files: readonly { readonly path: string }[];
  }[];
}

/** What differs between the images of a service under both prefixes. */
async function differences({ service, digest = "" }: ServiceReport, one: ServiceReport): Promise<ImageDiff> {
  const of = (prefix: string, image: string): string => `${registry.host}/${prefix}/${service}@${image}`;
  const args = ["diff", of("one", one.digest ?? ""), of("two", digest), "--format", "json"];
  return JSON.parse((await onTwoEngines(folder, args)).stdout) as ImageDiff;
}

describe("publish with an engine for each platform", () => {
  let one: Report;
  let two: Report;

  beforeAll(async () => {
    one = await publish("one", ["--engine", "local"]);
    two = await publish("two", TWO);
  }, LIMIT_MS);

  it("says where each platform ran, and how", () => {
    expect(two.engine).toBe("local engine: linux/amd64 on local, linux/arm64 on local");
    expect(two.services.map(({ service }) => service)).toEqual(one.services.map(({ service }) => service));
    for (const { state, variants, notes } of two.services) {
      expect(state).toBe("published");
      expect(variants.map(({ platform, smoke }) => [platform, smoke?.native, smoke?.engine])).toEqual([
        ["linux/amd64", true, "local"],
        ["linux/arm64", false, "local"],
      ]);
      expect(notes.filter((note) => / ran /.test(note))).toEqual([
        "linux/amd64: ran natively on local",
        expect.stringMatching(/^linux\/arm64: ran under emulation by QEMU [\d.]+ on local$/),
      ]);
    }
  });

  it.each(SERVICES)("gives the image of one engine: %s", async (name) => {
    const [ours, other] = [two, one].map(({ services }) => services.find(({ service }) => service === name));
    const compiled = COMPILED[name];
    if (ours === undefined || other === undefined) throw new Error(`no ${name}`);
    if (compiled === undefined) {
      expect([ours.digest, ours.tag]).toEqual([other.digest, other.tag]);
      return;
    }
    // Compilers differ between machines: the key says so, and nothing else differs.
    expect(ours.tag).toBe(`${other.tag ?? ""}-native`);
    const { index, platforms } = await differences(ours, other);
    expect(index.map((change) => change.name)).toEqual(["annotation io.github.tgoai.pipelines.candidate"]);
    for (const { platform, packages, config, files } of platforms) {
      expect([platform, packages, config]).toEqual([platform, [], []]);
      expect(files.filter(({ path }) => !compiled.test(path))).toEqual([]);
    }
    // The native compiler of one machine made what the other one's cross-compiler made.
    expect(platforms.map(({ platform, files }) => [platform, files.length > 0])).toEqual([
      ["linux/amd64", false],
      ["linux/arm64", true],
    ]);
  });
});

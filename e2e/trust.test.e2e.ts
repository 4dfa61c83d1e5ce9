import { generateKeyPairSync } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { digestOf } from "@tgo/registry";
import { dockerConfig, identityToken, startRegistry, startSigstore, type LocalRegistry } from "@tgo/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createHarness,
  ENGINES,
  hasEngine,
  rawManifest,
  ROOT,
  tagsIn,
  type Harness,
  type Outcome,
} from "./harness.js";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const REPOSITORY = "tgoai/one";
const SBOM = "https://cyclonedx.org/bom";
const SOURCE = [
  ...["--source", join(ROOT, "e2e/fixtures"), "--created", "2026-03-04T05:06:07Z"],
  ...["--revision", "0123456789abcdef0123456789abcdef01234567"],
];

interface Entry {
  readonly digest: string;
  readonly annotations?: Readonly<Record<string, string>>;
}
interface Drift {
  readonly service: string;
  readonly tag: string;
  readonly problems: readonly {
    readonly registry: string;
    readonly what: string;
    readonly remedy?: string;
  }[];
}

describe.each(ENGINES)("what was released with the %s engine", (engine) => {
  describe.skipIf(!hasEngine(engine))("", () => {
    let harness: Harness;
    /** Takes no empty config, as Aliyun's ACR. */
    let imagesOnly: LocalRegistry;
    /** For commands that are run as they were printed. */
    let env: Record<string, string>;

    beforeAll(async () => {
      [harness, imagesOnly] = await Promise.all([
        createHarness(engine),
        startRegistry({ auth: "none", imagesOnly: true }),
      ]);
      const { open, basic } = harness.registries;
      const publicPem = publicKey.export({ type: "spki", format: "pem" }).toString();
      const key = join(harness.folder, "signing-key.pem");
      await writeFile(key, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
      const login = join(harness.folder, "login.json");
      await writeFile(login, dockerConfig([open, basic, imagesOnly]), { mode: 0o600 });
      const registry = (host: string, referrers: boolean | string): object => ({
        ...{ host, referrers, repository: "tgoai/{service}" },
      });
      const names = ["tgo-api", "tgo-ai", "tgo-platform", "tgo-rag", "tgo-web", "tgo-widget-app"];
      const catalog = await harness.catalog("trust.json", {
        services: {
          ...Object.fromEntries(names.map((name) => [name, null])),
          one: {
            title: "Small",
            build: { strategy: "python" },
            image: { command: ["python", "server.py"], ports: [8123] },
            smoke: { http: [{ port: 8123, path: "/" }], timeoutSeconds: 60 },
            source: { path: "tiny" },
          },
        },
        registries: {
          ...{ ghcr: null, dockerhub: null, acr: null },
          open: registry(open.host, true),
          basic: registry(basic.host, true),
          images: registry(imagesOnly.host, "image-config"),
        },
        signatures: { required: true, keys: [{ name: "release", publicKey: publicPem }] },
      });
      env = { TGO_CATALOG: catalog, TGO_DOCKER_CONFIG: `file:${login}`, TGO_ENGINE: engine };
      const released = await harness.tgo(
        [...["release", "--version", "1.2.3", ...SOURCE, "--signing-key", `file:${key}`]],
        { env },
      );
      expect(released.code, released.stdout + released.stderr).toBe(0);
    });
    afterAll(async () => {
      await imagesOnly.stop();
      await harness.close();
    });

    const registries = (): LocalRegistry[] => [harness.registries.open, harness.registries.basic, imagesOnly];
    const json = async <T>(registry: LocalRegistry, name: string): Promise<T> => {
      const reference = `${REPOSITORY}${name.includes(":") ? "@" : ":"}${name}`;
      return JSON.parse((await rawManifest(registry, reference)).toString()) as T;
    };
    /** The digest under 1.2.3, and those of the platforms' manifests. */
    const subjects = async (): Promise<[index: string, ...platforms: string[]]> => {
      const bytes = await rawManifest(harness.registries.open, `${REPOSITORY}:1.2.3`);
      const { manifests } = JSON.parse(bytes.toString()) as { manifests: Entry[] };
      return [digestOf(bytes), ...manifests.map(({ digest }) => digest)];
    };
    const list = async (registry: LocalRegistry, subject: string): Promise<Entry[]> =>
      (await json<{ manifests: Entry[] }>(registry, subject.replace(":", "-"))).manifests;
    const isBundle = ({ annotations = {} }: Entry): boolean =>
      annotations["dev.sigstore.bundle.predicateType"] !== undefined;
    const bundles = async (registry: LocalRegistry): Promise<string[]> => {
      const lists = await Promise.all((await subjects()).map((subject) => list(registry, subject)));
      const layers = lists
        .flat()
        .filter(isBundle)
        .map(async ({ digest }) => {
          const {
            layers: [layer],
          } = await json<{ layers: Entry[] }>(registry, digest);
          return layer?.digest ?? "";
        });
      return (await Promise.all(layers)).sort();
    };

    it("has the same bundles in every registry, also in one that takes images only", async () => {
      const [first = [], ...others] = await Promise.all(registries().map(bundles));
      // Signature and provenance of all three manifests; two bills of materials and the proof of each platform's.
      expect(first).toHaveLength(3 * 2 + 2 * 3);
      expect(others).toEqual([first, first]);
      const verified = await harness.tgo(["verify", "--service", "one", "--tag", "1.2.3", "--fast"], { env });
      expect(verified.code, verified.stdout).toBe(0);
    });

    it("has bills of materials that are those of its layers", async () => {
      const { open } = harness.registries;
      const [, amd64 = ""] = await subjects();
      const [entry] = (await list(open, amd64)).filter(
        ({ annotations = {} }) => annotations["dev.sigstore.bundle.predicateType"] === SBOM,
      );
      const {
        layers: [layer],
      } = await json<{ layers: Entry[] }>(open, entry?.digest ?? "");
      const bundle = await fetch(`${open.url}/v2/${REPOSITORY}/blobs/${layer?.digest ?? ""}`);
      const { dsseEnvelope } = (await bundle.json()) as { dsseEnvelope: { payload: string } };
      const { predicate } = JSON.parse(Buffer.from(dsseEnvelope.payload, "base64").toString()) as {
        predicate: { components: unknown[] };
      };
      expect(predicate.components.length).toBeGreaterThan(100);
      const read = await harness.tgo(
        ["sbom", `${open.host}/${REPOSITORY}:1.2.3`, "--platform", "linux/amd64"],
        { env },
      );
      expect(JSON.parse(read.stdout)).toEqual(predicate);
    });

    /** Removes a tag or a digest from a registry's disk. */
    const remove = async (registry: LocalRegistry, ...names: string[]): Promise<void> => {
      for (const name of names) {
        const path = name.includes(":") ? `revisions/${name.replace(":", "/")}` : `tags/${name}`;
        const folder = join(
          registry.storage,
          "docker/registry/v2/repositories",
          REPOSITORY,
          "_manifests",
          path,
        );
        await rm(folder, { recursive: true });
      }
    };
    const watch = (): Promise<Outcome> =>
      harness.tgo(["watch", "--service", "one", "--format", "json"], { env });

    it("is watched: what is missing is named, with the command that mends it", async () => {
      expect(await watch()).toMatchObject({ code: 0 });
      const { open, basic } = harness.registries;
      const [index, amd64 = "", arm64 = ""] = await subjects();
      const bom = (await list(imagesOnly, amd64)).find(
        ({ annotations = {} }) => annotations["dev.sigstore.bundle.predicateType"] === SBOM,
      );
      // One registry loses a platform's manifest and a tag, the next one signatures, the last one the whole version.
      await remove(open, arm64, "1.2");
      await remove(imagesOnly, index.replace(":", "-"), bom?.digest ?? "");
      await remove(basic, "1.2.3", "1.2", "1", "latest", index, amd64, arm64);
      const drift = await watch();
      expect(drift.code).toBe(1);
      const { tags } = (JSON.parse(drift.stdout) as { watch: { tags: Drift[] } }).watch;
      const [version] = tags.filter(({ tag }) => tag === "1.2.3");
      const told = (registry: string): string[] =>
        version?.problems.filter((one) => one.registry === registry).map(({ what }) => what) ?? [];
      expect(told("open").join("\n")).toMatch(/linux\/arm64/);
      expect(told("images").join("\n")).toMatch(/index: it lacks the signature sha256:\w+, which open has/);
      expect(told("images").join("\n")).toMatch(
        /linux\/amd64: the attestation sha256:\w+ is listed, and missing/,
      );
      expect(told("basic")).toEqual(['there is no tag "1.2.3"']);
      const [minor] = tags.filter(({ tag }) => tag === "1.2");
      expect(minor?.problems.map(({ registry, what }) => `${registry}: ${what}`)).toEqual(
        expect.arrayContaining(['open: there is no tag "1.2"', 'basic: there is no tag "1.2"']),
      );
      const commands = new Set(
        tags.flatMap(({ problems }) =>
          problems.flatMap(({ remedy = "" }) =>
            remedy.split("\n").filter((line) => /^(npx|tgo) /.test(line)),
          ),
        ),
      );
      // One command for everything, and nothing without one.
      expect(
        tags.flatMap(({ problems }) => problems.filter(({ remedy }) => !remedy?.includes("promote"))),
      ).toEqual([]);
      expect([...commands]).toEqual([expect.stringMatching(/tgo promote --service one --version 1\.2\.3$/)]);
      for (const command of commands) {
        const mended = await harness.paste(command, { env });
        expect(mended.code, mended.stdout + mended.stderr).toBe(0);
      }
      const whole = await watch();
      expect(whole.code, whole.stdout).toBe(0);
      const [first, ...others] = await Promise.all(registries().map(bundles));
      expect(others).toEqual([first, first]);
    });

    it("is signed by a job's identity, and gets no tag without Fulcio", async () => {
      const sigstore = await startSigstore();
      try {
        const claims = {
          iss: "https://token.actions.githubusercontent.com",
          sub: "https://github.com/tgoai/tgo/.github/workflows/release.yml@refs/tags/v1.2.4",
        };
        const root = join(harness.folder, "trusted_root.json");
        await writeFile(root, sigstore.trustedRoot);
        const before = JSON.parse(await readFile(env.TGO_CATALOG ?? "", "utf8")) as { signatures: object };
        const release = async (fulcio: string): Promise<Outcome> => {
          const TGO_CATALOG = await harness.catalog("keyless.json", {
            ...before,
            signatures: {
              ...before.signatures,
              ...{ fulcio, rekor: sigstore.url },
              identities: [{ issuer: claims.iss, subject: claims.sub.replace(/v1.*/, "*") }],
            },
          });
          Object.assign(env, { TGO_CATALOG, TGO_TRUSTED_ROOT: root, JOB_TOKEN: identityToken(claims) });
          const flags = ["--version", "1.2.4", ...SOURCE, "--identity-token", "env:JOB_TOKEN"];
          return harness.tgo(["release", ...flags], { env });
        };
        const refused = await release("http://127.0.0.1:9");
        expect(refused.code).toBe(1);
        expect(refused.stdout + refused.stderr).toMatch(/Fulcio cannot be reached[^]*Nothing was signed/);
        const tags = await Promise.all(registries().map((registry) => tagsIn(registry, REPOSITORY)));
        expect(tags.flat()).not.toContain("1.2.4");
        const released = await release(sigstore.url);
        expect(released.code, released.stdout + released.stderr).toBe(0);
        const verify = ["verify", "--service", "one", "--tag", "1.2.4", "--fast"];
        const verified = await harness.tgo(verify, { env });
        expect(verified.code, verified.stdout).toBe(0);
        expect(verified.stdout).toMatch(/signature\s+by\s+identity\s+https:/);
      } finally {
        await sigstore.stop();
      }
    });

    it("is neither whole nor changed while a registry is down", async () => {
      await imagesOnly.stop();
      expect(await watch()).toMatchObject({ code: 3 });
    });
  });
});

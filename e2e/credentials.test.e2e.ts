import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startRegistry, type LocalRegistry } from "@tgo/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createHarness,
  ENGINES,
  execute,
  hasEngine,
  makeFolder,
  reportOf,
  type Harness,
  type Outcome,
} from "./harness.js";

/** A RUN line that fails without the proxy, and a Dockerfile that declares it, which would write it into the image. */
const DOCKERFILE = `FROM python:3.11-slim
ARG HTTP_PROXY
ARG NOTE=none
RUN test -n "$HTTP_PROXY" && echo "$NOTE" > /note
`;
const SERVICES = {
  tiny: {
    title: "Tiny",
    build: { strategy: "dockerfile", args: { HTTP_PROXY: "", NOTE: "none" } },
    smoke: { exec: [["grep", "-q", "kept", "/note"]] },
  },
};

const IDENTITY = "identity-token-of-the-test";
const PASSWORD = "pr0xy-password";

describe.each(ENGINES)("credentials on the %s engine", (engine) => {
  describe.skipIf(!hasEngine(engine))("", () => {
    let harness: Harness;
    let registry: LocalRegistry;
    let outcome: Outcome;

    beforeAll(async () => {
      harness = await createHarness(engine);
      registry = await startRegistry({ auth: "bearer", publicPull: true, identityToken: IDENTITY });
      const catalog = await harness.catalog("credentials.json", {
        services: SERVICES,
        registries: {
          ghcr: null,
          dockerhub: null,
          acr: null,
          token: { host: registry.host, repository: "tgoai/{service}" },
        },
      });
      const config = join(harness.folder, "identity.json");
      // As `az acr login` writes it.
      const auth = Buffer.from("00000000-0000-0000-0000-000000000000:").toString("base64");
      const auths = { [registry.host]: { auth, identitytoken: IDENTITY } };
      await writeFile(config, JSON.stringify({ auths }), { mode: 0o600 });
      const proxy = `HTTP_PROXY=http://me:${PASSWORD}@127.0.0.1:9`;
      const source = await makeFolder(harness, "source", { Dockerfile: DOCKERFILE });
      outcome = await harness.run([
        ...["publish", "--service", "tiny", "--catalog", catalog, "--docker-config", `file:${config}`],
        ...["--source", source, "--value", proxy, "--value", "NOTE=kept", "--format", "json"],
      ]);
    });
    afterAll(async () => {
      await registry.stop();
      await harness.close();
    });

    it("publishes with an identity token in the place of a password", () => {
      expect(outcome.stderr).not.toContain("failed");
      expect(outcome.code).toBe(0);
      const [tiny] = reportOf(outcome).services;
      expect(tiny?.registries.map(({ state }) => state)).toEqual(["done"]);
    });

    it("gives RUN lines a proxy, and the image nothing of its password", async () => {
      const [tiny] = reportOf(outcome).services;
      const image = `docker://${registry.host}/tgoai/tiny:${tiny?.tag ?? ""}`;
      for (const architecture of ["amd64", "arm64"]) {
        const flags = ["inspect", "--config", "--raw", "--tls-verify=false", "--override-arch", architecture];
        const { code, stdout } = await execute("skopeo", [...flags, "--no-creds", image]);
        expect(code).toBe(0);
        expect(stdout).toContain(`"${architecture}"`);
        expect(stdout).not.toContain(PASSWORD);
      }
    });

    it("prints neither", () => {
      for (const secret of [IDENTITY, PASSWORD]) expect(harness.printed()).not.toContain(secret);
    });
  });
});

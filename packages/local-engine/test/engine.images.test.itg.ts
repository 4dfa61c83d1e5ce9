import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Container } from "@dagger.io/dagger";
import { Registry, type Credentials } from "@tgo/registry";
import { stageImage, startRegistry } from "@tgo/testing";
import { describe, expect, it } from "vitest";
import { busybox } from "./support/busybox.js";
import { setUp, sh } from "./support/fixture.js";
import { inspect } from "./support/inspect.js";
import { session, platform } from "./support/session.js";

const fixture = setUp();

describe("publishing", () => {
  it("writes a plain manifest for one platform, with the whole config", () =>
    session({ home: fixture.home }, async ({ client }) => {
      const reference = await sh(fixture.base(client), "echo x > /x")
        .withLabel("l", "v")
        .withUser("app")
        .withWorkdir("/home")
        .withEntrypoint(["sh"])
        .withDefaultArgs(["-c", "true"])
        .withExposedPort(8000)
        .withDockerHealthcheck(["wget -q localhost:8000/health"], {
          shell: true,
          interval: "30s",
          timeout: "1m30s",
          retries: 3,
        })
        .publish(`${fixture.registry.host}/one:1`);
      expect(reference).toMatch(new RegExp(`^${fixture.registry.host}/one:1@sha256:[0-9a-f]{64}$`));
      const { raw, config } = inspect(reference.replace(":1@", "@"));
      expect(raw.mediaType).toBe("application/vnd.oci.image.manifest.v1+json");
      expect(config).toMatchObject({
        architecture: "amd64",
        os: "linux",
        config: {
          Labels: { l: "v" },
          User: "app",
          WorkingDir: "/home",
          Entrypoint: ["sh"],
          Cmd: ["-c", "true"],
          ExposedPorts: { "8000/tcp": {} },
          Healthcheck: {
            Test: ["CMD-SHELL", "wget -q localhost:8000/health"],
            Interval: 30e9,
            Timeout: 90e9,
            Retries: 3,
          },
        },
      });
      const again = busybox(client, reference);
      expect(await again.file("/x").contents()).toBe("x\n");
      const without = await again.withoutDockerHealthcheck().publish(`${fixture.registry.host}/one:2`);
      expect(inspect(without.replace(":2@", "@")).config).not.toHaveProperty("config.Healthcheck");
    }));

  it("shares layers with the same files between platforms, and the base's bytes with the base", () =>
    session({ home: fixture.home }, async ({ client }) => {
      const source = client.host().directory(fixture.folder({ "pkg/mod.py": "print(1)", "pkg/data": "x" }));
      const variant = (name: string): Container =>
        busybox(client, fixture.image, name)
          .withDirectory("/usr/share/app", source)
          .withNewFile("/etc/app.conf", "a=1")
          .withLabel("p", name);
      const reference = await client.container().publish(`${fixture.registry.host}/two:1`, {
        platformVariants: [variant("linux/amd64"), variant("linux/arm64")],
      });
      const { raw } = inspect(reference.replace(":1@", "@"));
      expect(raw.mediaType).toBe("application/vnd.oci.image.index.v1+json");
      expect(raw.manifests.map((entry) => entry.platform)).toEqual([
        { architecture: "amd64", os: "linux" },
        { architecture: "arm64", os: "linux" },
      ]);
      expect(raw.annotations).toBeUndefined();
      const children = raw.manifests.map(({ digest }) =>
        inspect(`${fixture.registry.host}/two@${digest}`).raw.layers.map((layer) => layer.digest),
      );
      const bases = inspect(fixture.image.replace(":1@", "@")).raw.manifests.map(({ digest }) =>
        inspect(`${fixture.registry.host}/busybox@${digest}`).raw.layers.map((layer) => layer.digest),
      );
      expect(children[0]?.slice(-2)).toEqual(children[1]?.slice(-2));
      expect(children.map((layers) => layers.slice(0, -2))).toEqual(bases);
    }));

  it("is reproducible: an engine with an empty cache makes the same digest from the same files", async () => {
    const source = fixture.folder({ "a/b": "1" });
    const run = (own: string, name: string): Promise<string> =>
      session({ home: own }, ({ client }) =>
        busybox(client, fixture.image)
          .withDirectory("/srv/x", client.host().directory(source).withTimestamps(1_700_000_000))
          .withoutDirectory("/usr")
          .publish(`${fixture.registry.host}/${name}:1`),
      );
    const other = fixture.folder({});
    const digests = [await run(fixture.home, "same"), await run(other, "same")].map(
      (reference) => reference.split("@")[1],
    );
    expect(digests[0]).toBe(digests[1]);
  });

  it("collapses two variants of one platform", () =>
    session({ home: fixture.home }, async ({ client }) => {
      const reference = await client.container().publish(`${fixture.registry.host}/collapsed:1`, {
        platformVariants: [fixture.base(client), fixture.base(client).withLabel("second", "1")],
      });
      const { raw, config } = inspect(reference.replace(":1@", "@"));
      expect(raw.layers).toBeDefined();
      expect(config.config).toMatchObject({ Labels: { second: "1" } });
    }));

  it("writes removed files and replaced directories as whiteouts that other tools understand", () =>
    session({ home: fixture.home }, async ({ client }) => {
      const changed = sh(
        fixture.base(client),
        "rm /etc/group; rm -r /usr; mkdir -p /usr/only; rm -r /home; mkdir /home; echo 1 > /home/new",
      );
      const reference = await changed.publish(`${fixture.registry.host}/whiteouts:1`);
      const from = ["from", "-q", "--tls-verify=false", `docker://${reference.replace(":1@", "@")}`];
      const id = execFileSync("buildah", from).toString().trim();
      try {
        const root = execFileSync("buildah", ["mount", id]).toString().trim();
        expect(readdirSync(join(root, "etc"))).toEqual(["passwd"]);
        expect(readdirSync(join(root, "usr"))).toEqual(["only"]);
        expect(readdirSync(join(root, "home"))).toEqual(["new"]);
      } finally {
        execFileSync("buildah", ["rm", id]);
      }
      // And this engine too, from the registry, with an empty store.
      const other = fixture.folder({});
      await session({ home: other }, async ({ client: fresh }) => {
        const again = busybox(fresh, reference);
        expect(await again.directory("/usr").entries()).toEqual(["only/"]);
        expect(await again.directory("/home").entries()).toEqual(["new"]);
        expect(await again.exists("/etc/group")).toBe(false);
      });
    }));

  it("pulls through a mirror that does not show in the image's name", () =>
    session({ home: fixture.home, mirrors: { "docker.io": fixture.registry.host } }, async ({ client }) => {
      const reference = fixture.image.replace(
        `${fixture.registry.host}/busybox`,
        "docker.io/library/busybox",
      );
      await fixture.base(client).publish(`${fixture.registry.host}/library/busybox:1`);
      expect(await busybox(client, "busybox:1").imageRef()).toMatch(
        /^docker\.io\/library\/busybox:1@sha256:/,
      );
      expect(reference).toContain("docker.io");
    }));

  it("writes an OCI layout as a tar file", () =>
    session({ home: fixture.home }, async ({ client }) => {
      const file = join(fixture.folder({}), "image.tar");
      await fixture.base(client).export(file);
      const config = JSON.parse(
        execFileSync("skopeo", ["inspect", "--config", `oci-archive:${file}`]).toString(),
      ) as { architecture: string };
      expect(config.architecture).toBe("amd64");
      expect(await fixture.base(client).asTarball().size()).toBeGreaterThan(100_000);
    }));

  it("names a missing image and a missing platform", () =>
    session({ home: fixture.home }, async ({ client }) => {
      await expect(busybox(client, `${fixture.registry.host}/nothing:1`).sync()).rejects.toThrow(
        `there is no image ${fixture.registry.host}/nothing:1`,
      );
      await expect(busybox(client, fixture.image, "linux/s390x").sync()).rejects.toThrow(
        "the image has no linux/s390x variant",
      );
    }));
});

describe("credentials", () => {
  it("reach the registry they are for, from the keychain or from withRegistryAuth", async () => {
    const closed = await startRegistry({ auth: "basic", username: "user", password: "pass-word" });
    const address = `${closed.host}/private/image:1`;
    try {
      await session({ home: fixture.home }, async ({ client }) => {
        await expect(fixture.base(client).publish(address)).rejects.toThrow(/credentials/i);
        const secret = client.setSecret("password", "pass-word");
        expect(
          await fixture.base(client).withRegistryAuth(address, "user", secret).publish(address),
        ).toContain("@sha256:");
        await expect(busybox(client, address).imageRef()).rejects.toThrow(/credentials/i);
        const known = client.container().withRegistryAuth(closed.host, "user", secret);
        expect(await known.from(address).imageRef()).toContain("@sha256:");
      });
      const known = (of: string): Promise<Credentials | undefined> =>
        Promise.resolve(of === closed.host ? { username: "user", password: "pass-word" } : undefined);
      await session({ home: fixture.home, keychain: known }, async ({ client }) => {
        expect(await busybox(client, address).imageRef()).toContain("@sha256:");
      });
    } finally {
      await closed.stop();
    }
  });
});

describe("dockerBuild", () => {
  it("builds a Dockerfile with arguments, target, secrets and a health check", () =>
    session(
      { home: fixture.home, mirrors: { "docker.io": fixture.registry.host } },
      async ({ client, events }) => {
        await fixture.base(client).publish(`${fixture.registry.host}/library/bb:1`);
        const context = fixture.folder({
          Dockerfile: `FROM bb:1 AS base
ARG WHO=nobody
COPY file /file
RUN --mount=type=secret,id=token wc -c < /run/secrets/token > /length; echo "$WHO" > /who
HEALTHCHECK --interval=5s CMD wget -q localhost
FROM base AS other
RUN exit 1
`,
          file: "content",
        });
        const build = client
          .host()
          .directory(context)
          .dockerBuild({
            platform: platform("linux/amd64"),
            buildArgs: [{ name: "WHO", value: "me" }],
            target: "base",
            secrets: [client.setSecret("token", "12345")],
          });
        expect(await build.file("/who").contents()).toBe("me\n");
        expect((await build.file("/length").contents()).trim()).toBe("5");
        expect(await build.file("/file").contents()).toBe("content");
        const { config, raw } = inspect(
          (await build.publish(`${fixture.registry.host}/built:1`)).replace(":1@", "@"),
        );
        expect(config.config).toMatchObject({ Healthcheck: { Interval: 5e9 } });
        expect(raw.layers[0]?.digest).toBe(
          inspect(`${fixture.registry.host}/library/bb:1`).raw.layers[0]?.digest,
        );
        expect(events.some(({ kind, state }) => kind === "build" && state === "line")).toBe(true);
        const failing = client
          .host()
          .directory(context)
          .dockerBuild({ target: "other", secrets: [client.setSecret("token", "12345")] });
        await expect(failing.sync()).rejects.toThrow(/the build of Dockerfile failed/);
      },
    ));
});

describe("layers that were pulled", () => {
  it("keep their registry's bytes in a Dockerfile's image, whatever the engine's store has", () =>
    session({ home: fixture.folder({}) }, async ({ client }) => {
      const files = client
        .directory()
        .withNewFile("Dockerfile", `FROM ${fixture.image}\nCOPY Dockerfile /\n`);
      const published = await files.dockerBuild().publish(`${fixture.registry.host}/on-base:1`);
      const image = fixture.image.replace(/:\w+@/, "@");
      const [amd64] = inspect(image).raw.manifests;
      const base = inspect(image.replace(/@.*/, `@${amd64?.digest ?? ""}`)).raw.layers;
      const { layers } = inspect(published.replace(":1@", "@")).raw;
      expect(layers.slice(0, base.length)).toEqual(base);
    }));

  it("have a fixed time where their archive leaves a folder out", async () => {
    const registry = new Registry({ host: fixture.registry.host });
    const layers = [[{ path: "implied/folder/file", content: "x" }]];
    const { children } = await stageImage(registry, "implied", "1", [{ platform: "linux/amd64", layers }]);
    await session({ home: fixture.home }, async ({ client }) => {
      const image = `${fixture.registry.host}/implied@${children[0]?.digest ?? ""}`;
      const pulled = client.container({ platform: platform("linux/amd64") }).from(image);
      const mounted = fixture.base(client).withMountedDirectory("/mnt", pulled.directory("/implied"));
      const shown = sh(mounted, "stat -c '%a %Y' /mnt/folder /mnt/folder/file");
      expect(await shown.stdout()).toBe("755 315532800\n755 0\n");
    });
  });
});

describe("an opaque whiteout", () => {
  it("hides what the layers below have in its folder, and nothing if they have no such folder", async () => {
    const registry = new Registry({ host: fixture.registry.host });
    const opaque = (folder: string) => [
      { path: `${folder}/.wh..wh..opq`, content: "" },
      { path: `${folder}/new`, content: "x" },
    ];
    const layers = [
      [
        { path: "above/below/old", content: "x" },
        { path: "file", content: "in the place of a folder" },
      ],
      [...opaque("above/below"), ...opaque("only"), ...opaque("deep/only"), ...opaque("file")],
    ];
    const { children } = await stageImage(registry, "opaque", "1", [{ platform: "linux/amd64", layers }]);
    await session({ home: fixture.home }, async ({ client }) => {
      const image = `${fixture.registry.host}/opaque@${children[0]?.digest ?? ""}`;
      const pulled = client.container({ platform: platform("linux/amd64") }).from(image);
      for (const folder of ["/above/below", "/only", "/deep/only", "/file"])
        expect(await pulled.directory(folder).entries(), folder).toEqual(["new"]);
    });
  });
});

describe("dockerBuild behind a company's CA", () => {
  it("shows its bundle to every command and leaves no trace of it", () =>
    session({ home: fixture.home, caBundle: "/etc/ssl/certs/ca-certificates.crt" }, async ({ client }) => {
      const dockerfile = `FROM ${fixture.image}\nRUN test -s "$SSL_CERT_FILE"; echo "$PIP_CERT" > /seen\nFROM ${fixture.image}\nCOPY --from=0 /seen /seen\nRUN test -s "$NODE_EXTRA_CA_CERTS"\n`;
      const built = client.directory().withNewFile("Dockerfile", dockerfile).dockerBuild();
      expect(await built.file("/seen").contents()).toBe("/run/host-ca-bundle.crt\n");
      expect(await built.envVariable("PIP_CERT")).toBeFalsy();
      expect(await built.rootfs().glob("run/*")).toEqual([]);
    }));
});

import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { setUp } from "./support/fixture.js";
import { inspect } from "./support/inspect.js";
import { platform, session } from "./support/session.js";

const fixture = setUp();

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
        const containers = (): string => execFileSync("buildah", ["containers", "-q"]).toString();
        const before = containers();
        await expect(failing.sync()).rejects.toThrow(/the build of Dockerfile failed/);
        expect(containers()).toBe(before);
      },
    ));
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

import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { setUp } from "./support/fixture.js";
import { inspect } from "./support/inspect.js";
import { executed, session } from "./support/session.js";

const fixture = setUp();

/** Builds a Dockerfile whose context has these files, and returns what its last RUN wrote to /out. */
async function output(dockerfile: string, files: Record<string, string> = {}): Promise<string> {
  return session({ home: fixture.home }, ({ client }) => {
    const context = client.host().directory(fixture.folder({ ...files, Dockerfile: dockerfile }));
    const secrets = [client.setSecret("token", "12345")];
    return context.dockerBuild({ secrets }).file("/out").contents();
  });
}

describe("a Dockerfile on the local engine", () => {
  it("copies as BuildKit does", async () => {
    const dockerfile = `FROM ${fixture.image} AS made
RUN mkdir -p /m/sub && echo 1 >/m/sub/f && ln /m/sub/f /m/sub/hard && ln -s f /m/sub/soft && chown -R 3:4 /m && chmod 4711 /m/sub/f
FROM ${fixture.image}
RUN mkdir -p /real /old/sub && ln -s /real /link && echo old >/target && ln -s /target /old/sub/f && chmod 700 /old /old/sub
COPY a.txt /link
COPY dir /link/dir
COPY dir/ one/
COPY *.txt d?r/[a-c] none* /many/
COPY --chown=7:8 --chmod=640 a.txt /new/parent/a
COPY --from=made /m /old
COPY --from=made /m/sub/f /single
COPY --from=MADE /m /kept
ADD a.txt /added/
WORKDIR /work
USER 5:6
WORKDIR deep/er
COPY a.txt .
RUN (pwd; id -u) >who
USER 0
RUN --mount=type=bind,source=dir,target=/mnt,rw echo x >/mnt/new && cd / && (stat -c '%a %u:%g %n' link/a.txt link/dir/b one/b one/deep/c many/* new new/parent/a old old/sub old/sub/f single kept kept/sub kept/sub/f added/a.txt work work/deep/er work/deep/er/a.txt; cat old/sub/f target; stat -c %h kept/sub/f; ls -l kept/sub/soft | tail -c 10; cat work/deep/er/who) >/out
RUN --mount=source=dir,target=/mnt ls /mnt >>/out
RUN ls -A /one /one/deep >>/out
`;
    const files = {
      ...{ "a.txt": "a", "b.txt": "b", "dir/b": "b", "dir/deep/c": "c", "dir/deep/hidden.log": "" },
      ".dockerignore": "# all logs\n**/*.log\n!kept.log\nb.txt\n",
    };
    expect((await output(dockerfile, files)).split("\n")).toEqual([
      ...["644 0:0 link/a.txt", "644 0:0 link/dir/b", "644 0:0 one/b", "644 0:0 one/deep/c"],
      ...["644 0:0 many/a.txt", "644 0:0 many/b"],
      ...["640 7:8 new", "640 7:8 new/parent/a"],
      ...["700 0:0 old", "755 3:4 old/sub", "4711 3:4 old/sub/f", "4711 3:4 single"],
      ...["755 3:4 kept", "755 3:4 kept/sub", "4711 3:4 kept/sub/f", "644 0:0 added/a.txt"],
      ...["755 0:0 work", "755 5:6 work/deep/er", "644 0:0 work/deep/er/a.txt"],
      // The link below the destination was replaced, not followed.
      ...["1", "old", "2", "soft -> f", "/work/deep/er", "5", "b", "deep"],
      ...["/one:", "b", "deep", "", "/one/deep:", "c", ""],
    ]);
  });

  it("copies the times of its own context, whatever else the store has with the same content", async () => {
    const folder = fixture.folder({
      f: "f",
      Dockerfile: `FROM ${fixture.image}\nCOPY f /f\nRUN stat -c %Y /f >/out\n`,
    });
    const times = await session({ home: fixture.home }, async ({ client }) => {
      const host = client.host().directory(folder);
      await host.filter({ exclude: ["none"] }).sync();
      return host.withTimestamps(1_000_000_000).dockerBuild().file("/out").contents();
    });
    expect(times).toBe("1000000000\n");
  });

  it("runs lines with the variables, mounts and shell that they name", async () => {
    const dockerfile = `ARG WORD=global
FROM ${fixture.image} AS made
ARG X=other
RUN echo from-stage >/x
FROM ${fixture.image}
ARG WORD
SHELL ["/bin/sh", "-e", "-c"]
VOLUME /data
RUN mkdir -p /data && echo kept >/data/f
RUN --mount=type=bind,from=made,source=/x,target=/mnt/x cat /mnt/x >/out
RUN --mount=type=bind,source=in,target=/in,rw echo "changed $WORD[$X]" >/in && cat /in >>/out
RUN --mount=type=bind,source=in,target=/in cat /in >>/out; (echo x >/in) 2>/dev/null || echo read-only >>/out
RUN --mount=type=cache,target=/cache,uid=5,gid=6,mode=700,sharing=locked stat -c '%a %u:%g' /cache >>/out; echo c >/cache/c
RUN --mount=type=cache,target=/other,id=/cache,uid=5,gid=6,mode=700 cat /other/c >>/out
RUN --mount=type=tmpfs,target=/data touch /data/tmp; ls /data >>/out
RUN --mount=type=secret,id=token,uid=5,mode=0440 --mount=type=secret,id=none stat -c '%a %u' /run/secrets/* >>/out
RUN --mount=type=secret,id=token,env=T test -n "$T" && cat /data/f >>/out
RUN ["sh", "-c", "echo json >>/out"]
RUN ls /cache /in /mnt /run/secrets 2>/dev/null >>/out || true
`;
    expect((await output(dockerfile, { in: "unchanged\n" })).split("\n")).toEqual([
      ...[
        "from-stage",
        "changed global[]",
        "unchanged",
        "read-only",
        "700 5:6",
        "c",
        "tmp",
        "440 5",
        "kept",
        "json",
      ],
      "",
    ]);
  });

  it("writes the config that the Dockerfile says, on top of the base's", () =>
    session({ home: fixture.home }, async ({ client }) => {
      const dockerfile = `FROM ${fixture.image}
COPY Dockerfile /
ENV A=1
LABEL c=$A
VOLUME /data
EXPOSE 53/udp
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=7s --start-interval=2s CMD cat /x
SHELL ["/bin/sh", "-e", "-c"]
CMD echo hi
ONBUILD RUN true
`;
      const built = client.directory().withNewFile("Dockerfile", dockerfile).dockerBuild();
      const { config } = inspect(
        (await built.publish(`${fixture.registry.host}/configured:1`)).replace(":1@", "@"),
      );
      expect(config.config).toEqual({
        ...{
          Env: ["PATH=/bin", "A=1"],
          Labels: { c: "1" },
          Volumes: { "/data": {} },
          ExposedPorts: { "53/udp": {} },
        },
        ...{ StopSignal: "SIGQUIT", Shell: ["/bin/sh", "-e", "-c"], Cmd: ["/bin/sh", "-e", "-c", "echo hi"] },
        Healthcheck: { Test: ["CMD-SHELL", "cat /x"], Interval: 7e9, StartInterval: 2e9 },
        OnBuild: ["RUN true"],
      });
    }));

  it("takes a line from the store unless what it uses has changed", async () => {
    const run = (files: Record<string, string>) =>
      session({ home: fixture.home }, async ({ client, events }) => {
        const dockerfile = `FROM ${fixture.image}\nCOPY used /\nRUN echo once\nCOPY . /all\nRUN echo always\n`;
        const context = client.host().directory(fixture.folder({ ...files, Dockerfile: dockerfile }));
        await context.dockerBuild().sync();
        return executed(events).map((title) => title.split(" ").at(-1));
      });
    expect(await run({ used: "1", other: "1" })).toEqual(["once", "always"]);
    expect(await run({ used: "1", other: "1" })).toEqual([]);
    expect(await run({ used: "1", other: "2" })).toEqual(["always"]);
    expect(await run({ used: "2", other: "2" })).toEqual(["once", "always"]);
  });

  it("pulls nothing, and runs nothing, where a line is refused", () =>
    session({ home: fixture.home }, async ({ client, events }) => {
      const lines = {
        "COPY --link a /": "line 3 of Dockerfile: the local engine does not support COPY --link",
        "ADD a.tar /": "line 3 of Dockerfile: the local engine does not support ADD of an archive (a.tar)",
        "ADD missing /": "line 3 of Dockerfile: there is no missing to copy",
      };
      const folder = fixture.folder({ a: "" });
      writeFileSync(join(folder, "a.tar"), Buffer.concat([Buffer.alloc(257), Buffer.from("ustar")]));
      for (const [line, message] of Object.entries(lines)) {
        const text = `FROM ${fixture.image}\nRUN echo never\n${line}\n`;
        const context = client.host().directory(folder).withNewFile("Dockerfile", text);
        await expect(context.dockerBuild().sync()).rejects.toThrow(message);
      }
      expect(executed(events)).toEqual([]);
      const stranger = client
        .directory()
        .withNewFile("Dockerfile", "FROM localhost:1/no/image:1\nCOPY --link a /\n");
      await expect(stranger.dockerBuild().sync()).rejects.toThrow("COPY --link");
    }));

  it("says which line failed, with the end of its output", () =>
    session({ home: fixture.home }, async ({ client }) => {
      const build = (line: string) =>
        client.directory().withNewFile("Dockerfile", `FROM ${fixture.image}\n${line}\n`).dockerBuild().sync();
      await expect(build("RUN echo why; exit 3")).rejects.toThrow(
        /the build of Dockerfile failed\nline 2 of Dockerfile: RUN echo why; exit 3\nwhy/,
      );
      await expect(build("COPY --from=0 /nothing /")).rejects.toThrow(
        /line 2 of Dockerfile: .*does not come before/,
      );
      await expect(build("COPY nothing /")).rejects.toThrow(
        "line 2 of Dockerfile: there is no nothing to copy",
      );
      await expect(build("COPY Dockerfile /bin/sh/x")).rejects.toThrow(/line 2 of Dockerfile: /);
      await expect(build("RUN --mount=type=secret,id=t,required true")).rejects.toThrow(
        "the secret t is required",
      );
    }));

  it("never follows a link of the context or a stage out of it", async () => {
    const folder = fixture.folder({ "in/file": "inside" });
    symlinkSync("/etc/hostname", join(folder, "absolute"));
    symlinkSync("../../../../../../etc/hostname", join(folder, "relative"));
    mkdirSync(join(folder, "up"));
    await session({ home: fixture.home }, async ({ client }) => {
      const lines = [
        "COPY absolute /out",
        "COPY relative /out",
        "RUN --mount=source=absolute,target=/m cat /m >/out",
      ];
      for (const line of lines) {
        const context = client
          .host()
          .directory(folder)
          .withNewFile("Dockerfile", `FROM ${fixture.image}\n${line}\n`);
        await expect(context.dockerBuild().sync()).rejects.toThrow(/line 2 of Dockerfile: there is no /);
      }
    });
  });
});

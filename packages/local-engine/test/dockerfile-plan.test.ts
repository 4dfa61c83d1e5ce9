import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { DockerConfig, Step } from "../src/dockerfile/image-builder.js";
import { planBuild, type PlannedStage } from "../src/dockerfile/plan-build.js";
import { isProxyVariable } from "../src/dockerfile/proxies.js";
import type { Pulled } from "../src/images/images.js";
import { lazy } from "../src/lazy.js";
import { EMPTY } from "../src/store/snapshot.js";

interface Options {
  readonly config?: DockerConfig;
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly platform?: string;
}

/** The plan of the target stage, and the images that were pulled for it. */
async function plan(
  text: string,
  { config = {}, buildArgs = {}, target = "", platform = "linux/amd64" }: Options = {},
) {
  const pulled: string[] = [];
  const { stages, target: number } = await planBuild({
    ...{ text, file: "Dockerfile", platform, buildArgs, target, isHidden: isProxyVariable },
    pull: (image, own): Promise<Pulled> => {
      pulled.push(`${image} ${own}`);
      const origin = { layers: [], created: undefined, history: [] };
      return Promise.resolve({
        image: { platform: own, config, fs: EMPTY, origin },
        content: lazy(() => EMPTY),
      });
    },
  });
  const stage = stages.get(number);
  if (stage === undefined) throw new Error("no target");
  return { stage, pulled, stages };
}

const configOf = async (lines: string, options?: Options): Promise<DockerConfig> =>
  (await plan(`FROM base\n${lines}`, options)).stage.config;
const runs = ({ steps }: PlannedStage) =>
  steps.filter((step): step is Step & { kind: "run" } => step.kind === "run");
/** Variables of the last RUN. */
const envOf = async (text: string, options?: Options): Promise<Record<string, string>> => {
  const { env = [] } = runs((await plan(text, options)).stage).at(-1) ?? {};
  const pairs = env.map((item) => item.split(/=(.*)/s).slice(0, 2) as [string, string]);
  return Object.fromEntries(pairs.filter(([name]) => name !== "PATH"));
};

describe("the documented table of lines", () => {
  const page = readFileSync(new URL("../../../docs/guides/dockerfile.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `(.*?)` +\| (yes) +\| (yes|no) +\|$/gm)];

  it("has every instruction", () => {
    expect(rows.length).toBeGreaterThan(50);
    const keywords = new Set(rows.map(([, line = ""]) => line.split(" ")[0]));
    expect([...keywords].sort()).toEqual(
      "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR".split(
        " ",
      ),
    );
  });

  it.each(rows.map(([, line = "", , local]) => [line, local]))(
    "is right about %s: %s",
    async (line, local) => {
      const body = line.includes("<<EOF") ? "\necho a\nEOF" : "";
      const made = plan(`FROM base AS first\nFROM base\n${line}${body}\n`);
      if (local === "yes") await made;
      else {
        await expect(made).rejects.toMatchObject({
          code: "SOURCE",
          remedy: expect.stringContaining("Dagger") as string,
        });
        await expect(made).rejects.toThrow(/^line 3 of Dockerfile: the local engine does not support /);
      }
    },
  );
});

describe("before anything is pulled", () => {
  it.each<[string, string]>([
    ["FROM base\nFOO a", "line 2 of Dockerfile: there is no instruction FOO"],
    ["FROM base\nRUN", "line 2 of Dockerfile: RUN has no arguments"],
    ["FROM base as a b", "line 1 of Dockerfile: FROM needs an image"],
    ["FROM base AS 1a", "line 1 of Dockerfile: FROM needs an image"],
    ["FROM $NONE", "line 1 of Dockerfile: $NONE names no image"],
    ["FROM base\nCOPY --form=a b c", "line 2 of Dockerfile: COPY has no flag --form"],
    ["FROM base\nENV --a b=c", "line 2 of Dockerfile: ENV has no flag --a"],
    ["ARG A=base\nFROM base\nCOPY --from=$A b c", "line 3 of Dockerfile: from has no variables"],
    [
      "FROM base AS a\nCOPY --from=b c d\nFROM base AS b\nFROM a",
      "line 2 of Dockerfile: the stage b does not come before",
    ],
    [
      "# syntax=me/frontend:1\nFROM base",
      "line 1 of Dockerfile: the local engine does not support the frontend me/frontend:1",
    ],
    [
      "# escape=\\\n# check=skip=all;error=true\nFROM base",
      "line 2 of Dockerfile: the local engine does not support the directive",
    ],
  ])("%j is refused", async (text, message) => {
    const pulled: string[] = [];
    const made = planBuild({
      ...{
        text,
        file: "Dockerfile",
        platform: "linux/amd64",
        buildArgs: {},
        target: "",
        isHidden: () => false,
      },
      pull: (image) => Promise.reject(new Error(`pulled ${image}`)),
    });
    await expect(made).rejects.toThrow(message);
    expect(pulled).toEqual([]);
  });

  it.each<[string, string]>([
    ["ENV A", "ENV needs NAME=value"],
    ["ENV A=${B:?missing}", "B: missing"],
    ["ENV A=${B^^}", "not supported"],
    ["LABEL a=b c", "LABEL needs NAME=value"],
    ["EXPOSE a", "a is no port"],
    ["EXPOSE 80/http", "80/http is no port"],
    ["EXPOSE 9-8", "9-8 is no port"],
    ["STOPSIGNAL no!", "no! is no signal"],
    ["SHELL sh -c", "SHELL needs a JSON list"],
    ["CMD [1, 2]", "only strings"],
    ["HEALTHCHECK", "HEALTHCHECK has no arguments"],
    ["HEALTHCHECK RUN a", "HEALTHCHECK needs CMD"],
    ["HEALTHCHECK --interval=7 CMD a", "--interval is no duration"],
    ["HEALTHCHECK --timeout=1us CMD a", "--timeout is less than 1ms"],
    ["WORKDIR $NONE", "WORKDIR has no path"],
    ["HEALTHCHECK --retries=x CMD a", "--retries is no number"],
    ["COPY a", "COPY needs a source"],
    ["COPY https://example.com/a /b", "COPY cannot read a URL"],
    ["ADD http://127.0.0.1:5000/a /b", "does not support ADD of a URL"],
    ["ADD a ${A:-https://localhost}/b /c/", "does not support ADD of a URL"],
    ["ONBUILD FROM a", "ONBUILD cannot run FROM"],
    ["RUN --mount=type=mystery,target=/a b", "no mount of type mystery"],
    ["RUN --mount=target=/a,colour=red b", "has no colour"],
    ["RUN --mount=target=/ b", "needs a target"],
    ["RUN --mount=from=$A,target=/a b", "from has no variables"],
  ])("%j is an error of its line", async (line, message) => {
    const made = plan(`FROM base\nUSER 1\n${line}`);
    await expect(made).rejects.toThrow(/^line 3 of Dockerfile: /);
    await expect(made).rejects.toThrow(message);
  });

  it("lines of stages that the target does not need are not read", async () => {
    const { pulled } = await plan("FROM nowhere AS unused\nCOPY --link a b\nFROM base");
    expect(pulled).toEqual(["base linux/amd64"]);
  });
});

describe("what is pulled", () => {
  it.each<[string, string, string[]]>([
    [
      "a stage in another letter case is none",
      "FROM docker.io/library/bb AS Base\nFROM base\nCOPY --from=BASE a b",
      ["docker.io/library/bb linux/amd64"],
    ],
    [
      "a stage that an argument names is none",
      "ARG K=plain\nFROM bb AS kind_plain\nFROM kind_${K}",
      ["bb linux/amd64"],
    ],
    [
      "bases, and images of COPY and mounts",
      "FROM bb\nCOPY --from=cc a b\nRUN --mount=from=dd,target=/m a",
      ["bb linux/amd64", "cc linux/amd64", "dd linux/amd64"],
    ],
    [
      "the platform of FROM",
      "FROM --platform=linux/arm64/v8 bb AS a\nCOPY x /\nFROM cc\nCOPY --from=a x y",
      ["bb linux/arm64", "cc linux/amd64"],
    ],
    ["nothing for scratch", "FROM scratch\nCOPY --from=scratch a b", []],
  ])("%s", async (_, text, expected) => {
    expect((await plan(text)).pulled).toEqual(expected);
  });
});

describe("variables of a RUN line", () => {
  it.each<[string, string, Record<string, string>]>([
    ["an argument's default", "ARG A=1\nRUN x", { A: "1" }],
    ["the whole file's arguments, where declared", "ARG WORD\nRUN x", { WORD: "global" }],
    ["none that is not declared", "RUN x", {}],
    ["none without a value", "ARG NONE\nRUN x", {}],
    ["the build argument instead of the default", "ARG GIVEN=1\nRUN x", { GIVEN: "given" }],
    ["the later of ARG and ENV", "ARG A=arg\nENV A=env\nRUN x", { A: "env" }],
    [
      "the platform's, where declared",
      "ARG TARGETPLATFORM TARGETARCH TARGETVARIANT\nRUN x",
      { TARGETPLATFORM: "linux/amd64", TARGETARCH: "amd64", TARGETVARIANT: "" },
    ],
    ["the target's name", "ARG TARGETSTAGE\nRUN x", { TARGETSTAGE: "default" }],
    ["values from before the line", "ENV A=1\nENV A=2 B=$A\nRUN x", { A: "2", B: "1" }],
    ["quotes and escapes removed", `ENV A='$X' B="a\\"b" C=a\\ b\nRUN x`, { A: "$X", B: 'a"b', C: "a b" }],
    ["the rest of a line", 'ENV A one  "two" \nRUN x', { A: "one  two" }],
    [
      "substitutions",
      "ARG V=v1.2\nENV A=${V#v} B=${NONE:-none}${NONE:+set}\nRUN x",
      { V: "v1.2", A: "1.2", B: "none" },
    ],
    ["no proxy of ARG: every line has it anyway", "ARG HTTP_PROXY=p\nENV P=$HTTP_PROXY\nRUN x", { P: "p" }],
    ["a proxy of ENV", "ENV HTTP_PROXY=p\nRUN x", { HTTP_PROXY: "p" }],
  ])("are %s", async (_, lines, expected) => {
    expect(await envOf(`ARG WORD=global\nFROM base\n${lines}`, { buildArgs: { GIVEN: "given" } })).toEqual(
      expected,
    );
  });

  it("are the base's, and PATH always", async () => {
    const { stage } = await plan("FROM base\nRUN x", { config: { Env: ["A=1"] } });
    expect(runs(stage)[0]?.env).toEqual([
      "A=1",
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ]);
    expect(stage.config.Env).toEqual(runs(stage)[0]?.env);
  });

  it("are inherited from the base stage with its arguments, and not from others", async () => {
    const one = "FROM base AS one\nARG X=1\nENV Y=2\n";
    expect(await envOf(`${one}FROM one\nRUN x`)).toEqual({ X: "1", Y: "2" });
    expect(await envOf(`${one}FROM base\nCOPY --from=one a b\nRUN x`)).toEqual({});
  });
});

describe("the config", () => {
  it("has the shell's command where SHELL says which", async () => {
    const lines = 'SHELL ["/bin/sh", "-e", "-c"]\nCMD echo "$A"\nRUN a  b';
    const { stage } = await plan(`FROM base\n${lines}`);
    expect(stage.config).toMatchObject({
      Shell: ["/bin/sh", "-e", "-c"],
      Cmd: ["/bin/sh", "-e", "-c", 'echo "$A"'],
    });
    expect(runs(stage)[0]?.args).toEqual(["/bin/sh", "-e", "-c", "a  b"]);
    expect((await configOf("CMD a", { config: { Shell: ["/bin/bash", "-c"] } })).Cmd).toEqual([
      "/bin/bash",
      "-c",
      "a",
    ]);
    expect((await configOf('CMD [ "a" , "$b" ]')).Cmd).toEqual(["a", "$b"]);
  });

  it.each<[string, object]>([
    ['ENTRYPOINT ["cat"]', { Entrypoint: ["cat"], Cmd: undefined }],
    ['CMD ["a"]\nENTRYPOINT ["cat"]', { Entrypoint: ["cat"], Cmd: ["a"] }],
    ["ENTRYPOINT []", { Entrypoint: undefined, Cmd: undefined }],
    ["USER a", { Entrypoint: ["old"], Cmd: ["old"], User: "a" }],
    ["STOPSIGNAL SIGQUIT", { StopSignal: "SIGQUIT" }],
    [
      "EXPOSE 53/UDP 80 [::1]:81:82",
      { ExposedPorts: { "1/tcp": {}, "53/udp": {}, "80/tcp": {}, "82/tcp": {} } },
    ],
    ["ENV P=8000-8002\nEXPOSE $P/tcp", { ExposedPorts: { "8000/tcp": {}, "8001/tcp": {}, "8002/tcp": {} } }],
    ['VOLUME /b /c\nVOLUME ["/d e"]', { Volumes: { "/a": {}, "/b": {}, "/c": {}, "/d e": {} } }],
    ["ENV A=1\nLABEL c=$A d=\"x y\" 'e f'=g", { Labels: { l: "old", c: "1", d: "x y", "e f": "g" } }],
    ["WORKDIR x\nWORKDIR ../y", { WorkingDir: "/srv/y" }],
    ["WORKDIR /a b/", { WorkingDir: "/a b" }],
    ["HEALTHCHECK NONE", { Healthcheck: { Test: ["NONE"] } }],
    [
      'healthcheck --interval=7s --retries=4 cmd ["cat"]',
      { Healthcheck: { Test: ["CMD", "cat"], Interval: 7e9, Retries: 4 } },
    ],
    [
      "HEALTHCHECK --start-interval=2s --timeout=1m30s CMD cat $A",
      { Healthcheck: { Test: ["CMD-SHELL", "cat $A"], StartInterval: 2e9, Timeout: 90e9 } },
    ],
    ["ONBUILD RUN a $b", { OnBuild: ["RUN a $b"] }],
  ])("after %j is right", async (lines, expected) => {
    const config = {
      ...{ Entrypoint: ["old"], Cmd: ["old"], WorkingDir: "/srv", Labels: { l: "old" } },
      ...{ ExposedPorts: { "1/tcp": {} }, Volumes: { "/a": {} }, Healthcheck: { Test: ["CMD", "old"] } },
    };
    expect(await configOf(lines, { config })).toMatchObject(expected);
  });

  it("has no null and no fields that only old images have", async () => {
    const config = {
      Env: null,
      Labels: null,
      OnBuild: null,
      Hostname: "h",
      Image: "i",
      Cmd: ["a"],
    } as unknown;
    const made = await configOf("LABEL a=b", { config: config as DockerConfig });
    expect(made).toEqual({ Env: [expect.stringContaining("PATH=")], Labels: { a: "b" }, Cmd: ["a"] });
  });

  it("runs the triggers of a base image first, and of a base stage, and has none of them", async () => {
    const { stage } = await plan("FROM base\nRUN b", { config: { OnBuild: ["ENV A=1", "RUN a $A"] } });
    expect(runs(stage).map(({ args }) => args.at(-1))).toEqual(["a $A", "b"]);
    expect(stage.config.OnBuild).toBeUndefined();
    const { stage: second } = await plan("FROM base AS a\nONBUILD RUN t\nFROM a\nRUN b");
    expect(runs(second).map(({ args }) => args.at(-1))).toEqual(["t", "b"]);
    const foreign = plan("FROM base", { config: { OnBuild: ["COPY --from=stranger/image /a /b"] } });
    await expect(foreign).rejects.toThrow(
      /line 1 of Dockerfile: .*ONBUILD COPY --from=stranger\/image.* of the base/,
    );
  });
});

describe("a step", () => {
  const last = async (lines: string) =>
    (await plan(`FROM base\nWORKDIR /srv\nUSER app\n${lines}`)).stage.steps.at(-1);

  it.each<[string, object]>([
    ["COPY a b", { kind: "copy", sources: ["a"], destination: "/srv/b", unpack: false }],
    ["COPY a .", { destination: "/srv/" }],
    ["COPY a b/", { destination: "/srv/b/" }],
    ["COPY a /", { destination: "/" }],
    ["COPY a /b/.", { destination: "/b/" }],
    ['ENV A="x y"\nCOPY $A ${A}z /$A/', { sources: ["x y", "x yz"], destination: "/x y/" }],
    ['COPY ["a b", "$X/c"]', { sources: ["a b"], destination: "/c" }],
    ["ARG O=1:2\nCOPY --chown=$O --chmod=0640 a b", { owner: "1:2", permissions: 0o640 }],
    ["ADD a b", { unpack: true }],
    ["WORKDIR a", { kind: "workdir", path: "/srv/a", owner: "app" }],
    ["RUN a", { kind: "run", user: "app", workdir: "/srv", args: ["/bin/sh", "-c", "a"] }],
    [
      "RUN --mount=type=cache,target=c,sharing=locked a",
      { mounts: [{ kind: "cache", target: "/srv/c", id: "c", owner: "0:0", mode: 0o755, exclusive: true }] },
    ],
    [
      "ARG S=s\nRUN --mount=source=$S,dst=/d,rw a",
      { mounts: [{ kind: "bind", target: "/d", source: "/s", readOnly: false }] },
    ],
    [
      "RUN --mount=type=secret,target=/x/t a",
      { mounts: [{ kind: "secret", id: "t", target: "/x/t", required: false, owner: "0:0", mode: 0o400 }] },
    ],
    [
      "RUN --mount=type=secret,id=t,env=T,required a",
      { mounts: [{ id: "t", variable: "T", required: true }] },
    ],
    ["RUN --mount=type=tmpfs,target=/t a", { mounts: [{ kind: "tmpfs", target: "/t" }] }],
  ])("of %j has its words expanded", async (lines, expected) => {
    expect(await last(lines)).toMatchObject(expected);
  });

  it("is found for each image and stage by the name as written", async () => {
    const { stage } = await plan("FROM a AS one\nFROM b\nCOPY --from=ONE x y\nCOPY --from=c x y");
    const [first, second] = stage.steps.map(({ at }) => at);
    if (!first || !second) throw new Error("no steps");
    expect(stage.source(first, "ONE")).toBe(0);
    expect(stage.source(second, "c")).toMatchObject({ image: { platform: "linux/amd64" } });
  });
});

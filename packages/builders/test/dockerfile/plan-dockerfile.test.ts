import { Service, type DockerfileBuild } from "@tgo/catalog";
import { imagesOf, parseDockerfile, parseStages } from "@tgo/dockerfile";
import { parse } from "@tgo/schemas";
import { describe, expect, it } from "vitest";
import { replaceImages } from "../../src/dockerfile/pin-from.js";
import { planDockerfile, type DockerfilePlan } from "../../src/dockerfile/plan-dockerfile.js";

function buildOf(fields: object): DockerfileBuild {
  const { build } = parse(Service, { title: "X", build: { strategy: "dockerfile", ...fields } });
  if (build.strategy !== "dockerfile") throw new Error("another strategy");
  return build;
}

function plan(text: string, fields: object = {}, values: Record<string, string> = {}): DockerfilePlan {
  return planDockerfile(
    { name: "x", build: buildOf(fields), native: "linux/amd64" },
    text,
    "linux/arm64",
    values,
  );
}

const references = (found: DockerfilePlan): string[] =>
  found.images.map(({ reference, platform }) => `${reference} ${platform}`);

describe("the images of a Dockerfile", () => {
  it.each<[string, string, string[]]>([
    ["a short name", "FROM python", ["docker.io/library/python:latest linux/arm64"]],
    ["lower case and tabs", "from\tme/app:1 as x", ["docker.io/me/app:1 linux/arm64"]],
    [
      "an argument's default",
      'ARG V="3.11"\nFROM python:${V}-slim',
      ["docker.io/library/python:3.11-slim linux/arm64"],
    ],
    [
      "a default in its place",
      "ARG V\nFROM python:${V:-3.12}",
      ["docker.io/library/python:3.12 linux/arm64"],
    ],
    ["a platform", "FROM --platform=$BUILDPLATFORM node:20", ["docker.io/library/node:20 linux/amd64"]],
    [
      "the target's parts",
      "FROM --platform=linux/$TARGETARCH node:20",
      ["docker.io/library/node:20 linux/arm64"],
    ],
    ["several lines", "FROM \\\n # why\n\n  alpine:3", ["docker.io/library/alpine:3 linux/arm64"]],
    ["another escape", "# escape=`\nFROM `\n alpine:3", ["docker.io/library/alpine:3 linux/arm64"]],
    ["nothing", "FROM scratch\nCOPY a /", []],
    [
      "a here-document that contains FROM",
      "FROM alpine:3\nRUN <<EOF cat > x\nFROM evil\nEOF\nCOPY <<-'A' <<B /\nFROM a\n\tA\nFROM b\nB\nRUN echo $((1<<2))",
      ["docker.io/library/alpine:3 linux/arm64"],
    ],
    [
      "files from another image",
      "FROM alpine:3\nCOPY --chown=1 --from=nginx:alpine /a /b\nRUN --mount=type=bind,from=busybox:1,target=/x true",
      [
        "docker.io/library/alpine:3 linux/arm64",
        "docker.io/library/nginx:alpine linux/arm64",
        "docker.io/library/busybox:1 linux/arm64",
      ],
    ],
    [
      "a stage, by name and number",
      "FROM alpine:3 AS Base\nFROM base AS b\nCOPY --from=0 /a /b\nCOPY --from=BASE /a /b",
      ["docker.io/library/alpine:3 linux/arm64"],
    ],
  ])("are found in %s", (_, text, expected) => {
    expect(references(plan(text))).toEqual(expected);
  });

  it("may come from a build value that the Dockerfile declares", () => {
    const text = "ARG BASE=alpine:3\nFROM $BASE\nFROM $OTHER";
    expect(references(plan(text, { target: "0" }, { BASE: "debian:12" }))).toEqual([
      "docker.io/library/debian:12 linux/arm64",
    ]);
    expect(plan(text, {}, { OTHER: "debian:12" }).unknown).toEqual(["FROM $OTHER"]);
  });

  it("of FROM lines without a value are left to the build, and listed", () => {
    const found = plan("ARG V=1.2\nFROM alpine:${V%.*} AS a\nFROM $NONE\nCOPY --from=a / /");
    expect(references(found)).toEqual(["docker.io/library/alpine:1 linux/arm64"]);
    expect(found.unknown).toEqual(["FROM $NONE"]);
  });

  it("are only those that the target needs", () => {
    const text = "FROM a:1 AS a\nFROM b:1 AS b\nFROM c:1 AS c\nCOPY --from=a / /\nFROM d:1";
    expect(references(plan(text, { target: "c" })).map((name) => name.slice(18, 21))).toEqual(["a:1", "c:1"]);
  });

  it("include the base that the result's file system starts from", () => {
    expect(plan("FROM a:1 AS a\nFROM b:1 AS b\nFROM a\nCOPY --from=b / /").base).toBe(
      "docker.io/library/a:1",
    );
    expect(plan("FROM scratch").base).toBeUndefined();
  });

  it("are replaced in place, with nothing else changed and the same line numbers", () => {
    const text = [
      "# syntax=docker/dockerfile:1",
      "FROM --platform=$BUILDPLATFORM node:20 \\",
      "  AS build",
      "RUN echo node:20",
      "FROM nginx:alpine",
      "COPY --from=build /a /a",
      "COPY --from=node:20 \\",
      "  --chown=1:1 \\",
      "  /node:20 /b",
      'RUN --mount=type=bind,from="node:20",target=/m cat <<EOF >x',
      "FROM node:20",
      "EOF",
    ].join("\n");
    const images = imagesOf(parseStages(parseDockerfile(text), { BUILDPLATFORM: "linux/amd64" }));
    const replaced = new Map(
      images.map((named) => [
        named,
        { address: "m.example/i@sha256:1", platform: named.platform ?? "linux/arm64" },
      ]),
    );
    expect(replaceImages(text, replaced).split("\n")).toEqual([
      "# syntax=docker/dockerfile:1",
      "FROM --platform=linux/amd64 m.example/i@sha256:1 AS build",
      "",
      "RUN echo node:20",
      "FROM m.example/i@sha256:1",
      "COPY --from=build /a /a",
      "COPY --from=m.example/i@sha256:1 --chown=1:1 /node:20 /b",
      "",
      "",
      "RUN --mount=type=bind,from=m.example/i@sha256:1,target=/m cat <<EOF >x",
      "FROM node:20",
      "EOF",
    ]);
  });
});

describe("emulation of a Dockerfile", () => {
  it.each<[string, string, number]>([
    ["RUN lines of the target's platform", "FROM a\nRUN x\nRUN y", 2],
    ["none, where nothing runs", "FROM a\nCOPY . /", 0],
    [
      "none, where all that runs is native",
      "FROM --platform=$BUILDPLATFORM a AS b\nRUN x\nFROM c\nCOPY --from=b / /",
      0,
    ],
    ["none of a stage that is not needed", "FROM a AS b\nRUN x\nFROM c", 0],
    ["those of the stages it builds on", "FROM a AS b\nRUN x\nFROM b\nRUN y", 2],
    [
      "none of a stage that builds on a native one",
      "FROM --platform=linux/amd64 a AS b\nRUN x\nFROM b AS c\nRUN y\nFROM d\nCOPY --from=c / /",
      0,
    ],
  ])("counts %s", (_, text, count) => {
    expect(plan(text).emulated).toBe(count);
  });
});

describe("a target", () => {
  it("that does not exist is rejected, listing the named stages", () => {
    expect(() => plan("FROM a AS One\nFROM b", { target: "two" })).toThrow(/no stage "two"\n.*one/s);
    expect(() => plan("# nothing")).toThrow(/has no FROM/);
  });
});

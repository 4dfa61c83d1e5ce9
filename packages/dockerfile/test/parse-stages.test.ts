import { describe, expect, it } from "vitest";
import {
  globalArguments,
  imagesOf,
  neededStages,
  parseDockerfile,
  parseStages,
  targetStage,
} from "../src/index.js";

const stages = (text: string, args: Record<string, string> = {}) => parseStages(parseDockerfile(text), args);
const bases = (text: string, args?: Record<string, string>) =>
  stages(text, args).map(({ image, parent, unknown }) =>
    unknown ? "unknown" : (image ?? parent ?? "scratch"),
  );

describe("a stage starts from", () => {
  it.each<[string, string, (string | number)[]]>([
    ["a stage in another letter case", "FROM a AS Settings\nFROM settings\nFROM SETTINGS", ["a", 0, 0]],
    [
      "a stage that an argument names",
      "ARG K=plain\nFROM a AS kind_plain\nFROM b AS kind_other\nFROM kind_${K}",
      ["a", "b", 0],
    ],
    [
      "the last stage before it with that name",
      "FROM a AS x\nFROM b AS x\nFROM x\nFROM c AS x",
      ["a", "b", 1, "c"],
    ],
    ["an image with the name of a later stage", "FROM x\nFROM a AS x", ["x", "a"]],
    ["nothing", "FROM scratch", ["scratch"]],
    ["an image with a number for a name", "FROM a\nFROM 0", ["a", "0"]],
    ["an argument's default", 'ARG V="3.11"\nFROM p:${V}-slim\nFROM p:${V%.*}', ["p:3.11-slim", "p:3"]],
    ["an earlier argument's value", "ARG A=1\nARG B=${A}2 C=$B\nFROM p:$C", ["p:12"]],
    [
      "no image, if the argument is not set or follows FROM",
      "FROM $A\nARG A=b\nFROM $A\nFROM ${A",
      ["unknown", "unknown", "unknown"],
    ],
  ])("%s", (_, text, expected) => {
    expect(bases(text)).toEqual(expected);
  });

  it("what a build argument says, if the file declares it", () => {
    expect(bases("ARG A=x\nFROM $A", { A: "y" })).toEqual(["y"]);
    expect(bases("FROM $A", { A: "y" })).toEqual(["unknown"]);
  });

  it("the platform that its flag says, or its base stage has", () => {
    const text = "FROM --platform=linux/$TARGETARCH a AS x\nFROM --platform=$BUILDPLATFORM x\nFROM b";
    const found = stages(text, { TARGETARCH: "arm64", BUILDPLATFORM: "linux/amd64" });
    expect(found.map(({ platform }) => platform)).toEqual(["linux/arm64", "linux/arm64", undefined]);
  });
});

it("arguments of the whole file end at the first FROM", () => {
  const globals = globalArguments(parseDockerfile("ARG A=1 B=2\nARG C\nFROM a\nARG D=4"), { B: "3", X: "y" });
  expect([...globals]).toEqual([
    ["A", "1"],
    ["B", "3"],
  ]);
});

describe("files come from", () => {
  const sources = (text: string) =>
    stages(text)
      .at(-1)
      ?.sources.map(({ name, stage }) => [name, stage]);

  it.each<[string, string, [string, number | undefined][]]>([
    ["a stage in another letter case", "COPY --from=ONE a b", [["ONE", 0]]],
    ["a stage's number", "COPY --from=1 a b", [["1", 1]]],
    ["an image", "COPY --from=nginx:1 a b", [["nginx:1", undefined]]],
    [
      "what a mount names",
      "RUN --mount=type=bind,from=two,target=/a --mount=from=busybox,target=/b c",
      [
        ["two", 1],
        ["busybox", undefined],
      ],
    ],
    ["an image: a mount takes no numbers", "RUN --mount=from=0,target=/a b", [["0", undefined]]],
    ["an image: variables are not replaced", "ARG A=one\nCOPY --from=$A a b", [["$A", undefined]]],
  ])("%s", (_, text, expected) => {
    expect(sources(`FROM a AS One\nFROM b AS two\nFROM c\n${text}`)).toEqual(expected);
  });
});

it("a target needs its base, and what it copies or mounts", () => {
  const text =
    "FROM a AS a\nFROM b AS b\nFROM c AS c\nCOPY --from=a / /\nFROM c AS d\nRUN --mount=from=b,target=/m x";
  expect(neededStages(stages(text), 2)).toEqual([0, 2]);
  expect(neededStages(stages(text), 3)).toEqual([0, 1, 2, 3]);
  expect(targetStage(stages(text), "C")).toBe(2);
  expect(targetStage(stages(text), "1")).toBe(1);
  expect([targetStage(stages(text), "e"), targetStage(stages(text), "9")]).toEqual([undefined, undefined]);
});

it("images of COPY --from are the target platform's, whatever the stage's is", () => {
  const found = imagesOf(stages("FROM --platform=linux/amd64 a\nCOPY --from=b x y"));
  expect(found.map(({ image, platform }) => [image, platform])).toEqual([
    ["a", "linux/amd64"],
    ["b", undefined],
  ]);
});

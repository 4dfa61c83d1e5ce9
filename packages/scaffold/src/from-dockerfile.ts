import { healthRequest } from "@tgo/catalog";
import { expand, parseDockerfile, parseJsonList, parseStages, type Instruction } from "@tgo/dockerfile";
import type { Health } from "./finding.js";

/** What a Dockerfile's last stage says about its image. */
export interface DockerfileFacts {
  readonly ports: readonly number[];
  readonly health: Health | undefined;
  /** Words of CMD; undefined if it has none, or one for a shell. */
  readonly command: readonly string[] | undefined;
  /** Debian packages that its last stage installs. */
  readonly packages: readonly string[];
  /** Secrets that its RUN lines mount. */
  readonly secrets: readonly string[];
  /** Names of all build arguments. */
  readonly declared: readonly string[];
  /** Build arguments without a default. */
  readonly args: readonly string[];
  /** Files and folders of the build context that it copies, without patterns, variables and addresses. */
  readonly sources: readonly string[];
  readonly user: string | undefined;
  /** RUN lines of stages for the target platform: emulated for a foreign one. */
  readonly emulatedRuns: number;
}

const PREDEFINED = /^(?:(?:TARGET|BUILD)(?:PLATFORM|OS|ARCH|VARIANT)|(?:https?|ftp|no|all)_proxy)$/i;

/** @returns undefined if it has no stage */
export function readDockerfile(text: string, file: string): DockerfileFacts | undefined {
  const dockerfile = parseDockerfile(text);
  const native = "linux/native";
  const stages = parseStages(dockerfile, { BUILDPLATFORM: native });
  const last = stages.at(-1);
  if (last === undefined) return undefined;
  const own = lineOf(stages, stages.length - 1);
  const known = new Map<string, string>();
  for (const { keyword, rest } of own.filter((each) => ["ARG", "ENV"].includes(each.keyword))) {
    const [, name = "", value] = /^(\w+)[= ]\s*"?([^"\s]*)"?/.exec(rest) ?? [];
    if (value !== undefined && (keyword === "ENV" || !known.has(name))) known.set(name, value);
  }
  const resolved = (word: string): string => {
    try {
      return expand(word, (name) => known.get(name), dockerfile.escape);
    } catch {
      return word;
    }
  };
  const lastOf = (keyword: string): Instruction | undefined =>
    own.filter((each) => each.keyword === keyword).at(-1);
  // Docker leaves its variables to the shell, and quotes say where a URL ends.
  const health = healthRequest(
    (lastOf("HEALTHCHECK")?.rest ?? "").replaceAll(
      /\$(?:(\w+)|\{(\w+)\})/g,
      (whole, bare: string | undefined, braced: string | undefined) =>
        known.get(bare ?? braced ?? "") ?? whole,
    ),
  );
  const args = dockerfile.instructions.filter(
    ({ keyword, rest }) => keyword === "ARG" && !PREDEFINED.test(rest.replace(/=.*$/s, "")),
  );
  const runs = dockerfile.instructions.filter(({ keyword }) => keyword === "RUN");
  return {
    ports: [
      ...new Set(
        own
          .filter(({ keyword }) => keyword === "EXPOSE")
          .flatMap(({ rest }) => rest.split(/\s+/))
          .map((word) => Number(resolved(word).replace(/\/tcp$/, "")))
          .filter((port) => Number.isInteger(port) && port > 0 && port < 65_536),
      ),
    ],
    health: health && { ...health, from: `${file}, HEALTHCHECK` },
    command: parseJsonList(lastOf("CMD")?.rest ?? ""),
    packages: packagesOf(own),
    secrets: [
      ...new Set(
        runs.flatMap(({ flags }) =>
          flags.flatMap((flag) => /^--mount=.*type=secret.*?(?:id=([\w.-]+))/.exec(flag)?.[1] ?? []),
        ),
      ),
    ],
    declared: [...new Set(args.map(({ rest }) => rest.replace(/=.*$/s, "")))],
    args: [...new Set(args.map(({ rest }) => rest).filter((rest) => /^\w+$/.test(rest)))].filter(
      // A default of another line counts in all stages that name it again.
      (name) => !args.some(({ rest }) => rest.startsWith(`${name}=`)),
    ),
    sources: dockerfile.instructions
      .filter(({ keyword, flags }) => /^(?:COPY|ADD)$/.test(keyword) && !flags.join(" ").includes("--from="))
      .flatMap(({ rest }) => (parseJsonList(rest) ?? rest.split(/\s+/)).slice(0, -1))
      .filter((word) => /^[\w./-]+$/.test(word)),
    user: lastOf("USER")?.rest,
    emulatedRuns: stages
      .filter(({ platform }) => platform !== native)
      .flatMap(({ instructions }) => instructions)
      .filter(({ keyword }) => keyword === "RUN").length,
  };
}

/** A stage's instructions, after those of the stages it starts from. */
function lineOf(stages: ReturnType<typeof parseStages>, at: number): Instruction[] {
  const stage = stages[at];
  if (stage === undefined) return [];
  const before = stage.parent === undefined || stage.parent >= at ? [] : lineOf(stages, stage.parent);
  return [...before, ...stage.instructions];
}

/** What `apt-get install` lines name: words that are Debian package names. */
function packagesOf(instructions: readonly Instruction[]): string[] {
  const lines = instructions
    .filter(({ keyword }) => keyword === "RUN")
    .map(({ rest, heredocs }) => [rest, ...heredocs].join("\n"));
  const found = lines.flatMap((line) =>
    [...line.matchAll(/apt(?:-get)?\s+(?:-\S+\s+)*install\s+([^&|;\n]*)/g)].flatMap(([, words = ""]) =>
      words.split(/\s+/).filter((word) => /^[a-z0-9][a-z0-9+.-]+$/.test(word)),
    ),
  );
  return [...new Set(found)].sort();
}

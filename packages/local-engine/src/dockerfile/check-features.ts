import { flagOf, type Dockerfile, type Instruction } from "@tgo/dockerfile";
import { invalid, unsupported, type Place } from "./refuse.js";

/** The flags of each instruction: those built here, and those that only BuildKit builds. */
const FLAGS: Readonly<Record<string, readonly [built: string, refused: string]>> = {
  FROM: ["platform", ""],
  RUN: ["mount network security", "device"],
  COPY: ["from chown chmod", "link exclude parents"],
  ADD: ["chown chmod", "link exclude checksum keep-git-dir unpack"],
  HEALTHCHECK: ["interval timeout start-period start-interval retries", ""],
};

const KEYWORDS =
  "FROM RUN COPY ADD HEALTHCHECK ARG CMD ENTRYPOINT ENV EXPOSE LABEL MAINTAINER ONBUILD SHELL STOPSIGNAL USER VOLUME WORKDIR".split(
    " ",
  );

/**
 * Refuses directives for which BuildKit would not read the file as this engine does.
 * @throws TgoError SOURCE
 */
export function checkDirectives({ directives }: Dockerfile, text: string, file: string): void {
  const where = (name: string): string => {
    const isIt = new RegExp(`^\\uFEFF?\\s*#\\s*${name}\\s*=`, "i");
    return `line ${text.split("\n").findIndex((line) => isIt.test(line)) + 1} of ${file}`;
  };
  const syntax = directives.get("syntax");
  if (syntax !== undefined && !/^(?:docker\.io\/)?docker\/dockerfile(?:[:@]\S+)?$/.test(syntax))
    throw unsupported(where("syntax"), `the frontend ${syntax}`);
  if (/(?:^|;)\s*error\s*=\s*true/i.test(directives.get("check") ?? ""))
    throw unsupported(where("check"), "the directive check=error=true");
}

/**
 * Refuses an instruction that this engine does not build as BuildKit does, as far as its words tell without variables.
 * @throws TgoError SOURCE
 */
export function checkInstruction(at: Instruction, place: Place): void {
  const { keyword, flags, heredocs } = at;
  const where = place(at);
  if (!KEYWORDS.includes(keyword)) throw invalid(where, `there is no instruction ${keyword}`);
  if (at.rest === "") throw invalid(where, `${keyword} has no arguments`);
  if (heredocs.length > 0) throw unsupported(where, `here-documents (${keyword} <<…)`);
  const [built, refused] = FLAGS[keyword] ?? ["", ""];
  for (const flag of flags) {
    const name = flag.replace(/^--|=.*$/gs, "");
    if (refused.split(" ").includes(name)) {
      if (!/=false$/.test(flag)) throw unsupported(where, `${keyword} --${name}`);
    } else if (!built.split(" ").includes(name)) throw invalid(where, `${keyword} has no flag --${name}`);
    else if (!flag.includes("=")) throw invalid(where, `--${name} has no value`);
  }
  if (keyword === "RUN") {
    const network = flagOf(at, "network") ?? "default";
    if (network !== "default") throw unsupported(where, `RUN --network=${network}`);
    const security = flagOf(at, "security") ?? "sandbox";
    if (security !== "sandbox") throw unsupported(where, `RUN --security=${security}`);
  }
}

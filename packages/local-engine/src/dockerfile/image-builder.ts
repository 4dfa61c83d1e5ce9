import { expand, parseJsonList, splitOnce, splitWords, type Instruction } from "@tgo/dockerfile";
import { parseGoDuration } from "../api/go-duration.js";
import { absolute } from "../files/paths.js";
import type { ImageConfig } from "../images/image.js";
import { invalid, unsupported, type Place } from "./refuse.js";
import { parseMounts, type RunMount } from "./run-mounts.js";

/** The parts of an image's config that only Dockerfiles set. */
export interface DockerConfig extends ImageConfig {
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly OnBuild?: readonly string[] | undefined;
  readonly Shell?: readonly string[];
  readonly StopSignal?: string;
}

/** What changes files; all words expanded. */
export type Step = { readonly at: Instruction } & (
  | {
      readonly kind: "run";
      readonly args: readonly string[];
      readonly env: readonly string[];
      readonly user: string;
      readonly workdir: string;
      readonly mounts: readonly RunMount[];
    }
  | {
      readonly kind: "copy";
      /** ADD: local archives are unpacked. */
      readonly unpack: boolean;
      readonly sources: readonly string[];
      /** Absolute; ends with a slash if it is a directory. */
      readonly destination: string;
      /** As in Attributes. */
      readonly owner?: string;
      readonly permissions?: number;
    }
  | { readonly kind: "workdir"; readonly path: string; readonly owner: string }
);

/** The state of a stage between two instructions. */
export interface StageState {
  readonly config: DockerConfig;
  /** The variables that instructions and commands see: of the config, and of ARG. */
  readonly env: ReadonlyMap<string, string>;
}

export interface StageSetting {
  readonly escape: string;
  readonly place: Place;
  /** Build arguments. */
  readonly args: Readonly<Record<string, string>>;
  /** The arguments before the first FROM, and the platform's. */
  readonly globals: ReadonlyMap<string, string>;
  /** Names of arguments that commands see without ARG, and that are in no image. */
  readonly isHidden: (name: string) => boolean;
}

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The config of `FROM scratch`. */
export const SCRATCH: DockerConfig = { WorkingDir: "/" };

/**
 * What a stage's instructions do, by BuildKit's rules: the steps that change files, and the config.
 * @param base the state of the stage it starts from; without variables, that of an image
 * @throws TgoError SOURCE
 * @see https://github.com/moby/buildkit/blob/v0.21.0/frontend/dockerfile/dockerfile2llb/convert.go
 */
export function evaluateStage(
  base: { readonly config: DockerConfig; readonly env?: ReadonlyMap<string, string> },
  instructions: readonly Instruction[],
  setting: StageSetting,
): StageState & { readonly steps: readonly Step[] } {
  const builder = new StageBuilder(base, setting);
  for (const at of instructions) builder.apply(at);
  return builder;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

class StageBuilder implements StageState {
  readonly config: Mutable<DockerConfig>;
  readonly env: Map<string, string>;
  readonly steps: Step[] = [];
  #hasCommand = false;

  constructor(
    base: { readonly config: DockerConfig; readonly env?: ReadonlyMap<string, string> },
    private readonly setting: StageSetting,
  ) {
    const { Env = [], ...config } = known(base.config);
    const hasPath = Env.some((item) => item.startsWith("PATH="));
    // The triggers of the base are done when the stage begins.
    this.config = { ...config, OnBuild: undefined, Env: hasPath ? Env : [...Env, `PATH=${PATH}`] };
    this.env = new Map(base.env);
    for (const item of this.config.Env ?? []) {
      const [name, value = ""] = splitOnce(item);
      this.env.set(name, value);
    }
  }

  apply(at: Instruction): void {
    const method = this.#methods[at.keyword];
    if (method === undefined) throw invalid(this.setting.place(at), `${at.keyword} cannot stand here`);
    method(at);
  }

  readonly #methods: Readonly<Record<string, (at: Instruction) => void>> = {
    ARG: (at) => {
      this.#declare(at);
    },
    ENV: (at) => {
      const pairs = this.#pairs(at);
      const all = new Map((this.config.Env ?? []).map((item) => splitOnce(item)));
      for (const [name, value] of pairs) {
        all.set(name, value);
        this.env.set(name, value);
      }
      this.config.Env = [...all].map(([name, value]) => `${name}=${value ?? ""}`);
    },
    LABEL: (at) => {
      this.config.Labels = { ...this.config.Labels, ...Object.fromEntries(this.#pairs(at)) };
    },
    WORKDIR: (at) => {
      const given = this.#expand(at, at.rest);
      if (given === "") throw invalid(this.setting.place(at), "WORKDIR has no path");
      const path = absolute(given, this.config.WorkingDir);
      this.config.WorkingDir = path;
      if (path !== "/") this.steps.push({ kind: "workdir", at, path, owner: this.config.User ?? "" });
    },
    USER: (at) => {
      this.config.User = this.#expand(at, at.rest);
    },
    STOPSIGNAL: (at) => {
      const signal = this.#expand(at, at.rest);
      if (!/^(?:[1-9]\d?|(?:SIG)?[A-Z][A-Z\d]*(?:[+-]\d+)?)$/i.test(signal))
        throw invalid(this.setting.place(at), `${signal} is no signal`);
      this.config.StopSignal = signal;
    },
    VOLUME: (at) => {
      const paths = this.#list(at.rest).map((word) => this.#expand(at, word.trim()));
      if (paths.includes("")) throw invalid(this.setting.place(at), "a volume has no path");
      this.config.Volumes = {
        ...this.config.Volumes,
        ...Object.fromEntries(paths.map((path) => [path, {}])),
      };
    },
    EXPOSE: (at) => {
      const words = at.rest.split(/\s+/).flatMap((word) => this.#expand(at, word).split(/\s+/));
      const ports = words.flatMap((word) => this.#ports(at, word));
      this.config.ExposedPorts = {
        ...this.config.ExposedPorts,
        ...Object.fromEntries(ports.map((port) => [port, {}])),
      };
    },
    SHELL: (at) => {
      const shell = parseJsonList(at.rest);
      if (shell === undefined || shell.length === 0)
        throw invalid(this.setting.place(at), "SHELL needs a JSON list of words");
      this.config.Shell = shell;
    },
    CMD: (at) => {
      this.config.Cmd = this.#command(at, at.rest);
      this.#hasCommand = true;
    },
    ENTRYPOINT: (at) => {
      const command = this.#command(at, at.rest);
      this.config.Entrypoint = command.length === 0 ? undefined : command;
      if (!this.#hasCommand) this.config.Cmd = undefined;
    },
    HEALTHCHECK: (at) => {
      this.config.Healthcheck = this.#healthcheck(at);
    },
    // An image's author is in no image that is published.
    MAINTAINER: () => undefined,
    ONBUILD: (at) => {
      if (/^(?:ONBUILD|FROM|MAINTAINER)\b/i.test(at.rest))
        throw invalid(this.setting.place(at), `ONBUILD cannot run ${at.rest.split(" ", 1)[0] ?? ""}`);
      this.config.OnBuild = [...(this.config.OnBuild ?? []), at.rest];
    },
    RUN: (at) => {
      const workdir = this.config.WorkingDir ?? "/";
      this.steps.push({
        kind: "run",
        at,
        args: this.#command(at, at.rest),
        env: this.#environment(),
        user: this.config.User ?? "",
        workdir,
        mounts: parseMounts(at, {
          workdir,
          expand: (word) => this.#expand(at, word),
          where: this.setting.place(at),
        }),
      });
    },
    COPY: (at) => {
      this.#copy(at);
    },
    ADD: (at) => {
      this.#copy(at);
    },
  };

  #environment(): string[] {
    const fixed = new Set(this.config.Env?.map((item) => splitOnce(item)[0]));
    const seen = [...this.env].filter(([name]) => fixed.has(name) || !this.setting.isHidden(name));
    return seen.map(([name, value]) => `${name}=${value}`);
  }

  #expand(at: Instruction, word: string): string {
    try {
      return expand(word, (name) => this.env.get(name), this.setting.escape);
    } catch (error) {
      throw invalid(this.setting.place(at), (error as Error).message);
    }
  }

  /** JSON, or words without quotes. */
  #list(text: string): readonly string[] {
    return parseJsonList(text) ?? text.split(/\s+/);
  }

  /** JSON as it is; anything else for the shell. */
  #command(at: Instruction, text: string): readonly string[] {
    const list = parseJsonList(text);
    if (list !== undefined) return list;
    if (/^\[\s*(?:"(?:[^"\\]|\\.)*"|[\d.]+|true|false|null)\s*(?:,.*)?\]$/s.test(text) && isJson(text))
      throw invalid(this.setting.place(at), "a JSON command has only strings");
    return [...(this.config.Shell ?? ["/bin/sh", "-c"]), text];
  }

  #declare(at: Instruction): void {
    const { args, globals, escape } = this.setting;
    for (const word of splitWords(at.rest, escape)) {
      const [name, text] = splitOnce(word);
      if (name === "") throw invalid(this.setting.place(at), "ARG needs a name");
      const value = args[name] ?? (text === undefined ? globals.get(name) : this.#expand(at, text));
      if (value !== undefined) this.env.set(name, value);
    }
  }

  /** NAME=value …, or NAME and the rest of the line. All see the variables from before the line. */
  #pairs(at: Instruction): [string, string][] {
    const { escape, place } = this.setting;
    const words = splitWords(at.rest, escape);
    const pairs = words[0]?.includes("=") ? words.map(splitOnce) : [oldPair(at.rest)];
    return pairs.map(([name, value]) => {
      const key = this.#expand(at, name);
      if (value === undefined || key === "") throw invalid(place(at), `${at.keyword} needs NAME=value`);
      return [key, this.#expand(at, value)];
    });
  }

  #ports(at: Instruction, word: string): string[] {
    const [, first = "", last = first, protocol = "tcp"] =
      /^(?:(?:[^/]*:)?[\d-]*:)?(\d+)(?:-(\d+))?(?:\/(\w*))?$/.exec(word) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (first === "" || to < from || to > 65_535 || !/^(?:tcp|udp|sctp|)$/i.test(protocol))
      throw invalid(this.setting.place(at), `${word} is no port`);
    const name = protocol.toLowerCase() || "tcp";
    return Array.from({ length: to - from + 1 }, (_, index) => `${from + index}/${name}`);
  }

  #healthcheck(at: Instruction): object {
    const where = this.setting.place(at);
    const [, kind = "", text = ""] = /^(\S+)\s*(.*)$/s.exec(at.rest) ?? [];
    if (/^NONE$/i.test(kind) && text === "") return { Test: ["NONE"] };
    const json = parseJsonList(text);
    if (!/^CMD$/i.test(kind) || text === "" || json?.length === 0)
      throw invalid(where, "HEALTHCHECK needs CMD and a command, or NONE");
    const found = new Map(at.flags.map((flag) => splitOnce(flag.slice(2))));
    const duration = (key: string, name: string): object => {
      let value: number | undefined;
      try {
        value = parseGoDuration(found.get(name));
      } catch {
        throw invalid(where, `--${name} is no duration`);
      }
      if (value === undefined || value === 0) return {};
      if (value < 1e6) throw invalid(where, `--${name} is less than 1ms`);
      return { [key]: value };
    };
    const retries = found.get("retries");
    if (retries !== undefined && !/^\d+$/.test(retries)) throw invalid(where, "--retries is no number");
    return {
      Test: json ? ["CMD", ...json] : ["CMD-SHELL", text],
      ...duration("Interval", "interval"),
      ...duration("Timeout", "timeout"),
      ...duration("StartPeriod", "start-period"),
      ...duration("StartInterval", "start-interval"),
      ...(retries === undefined || Number(retries) === 0 ? {} : { Retries: Number(retries) }),
    };
  }

  #copy(at: Instruction): void {
    const where = this.setting.place(at);
    const flags = new Map(at.flags.map((flag) => splitOnce(flag.slice(2))));
    const words = this.#list(at.rest).map((word) => this.#expand(at, word));
    const to = words.pop() ?? "";
    if (words.length === 0) throw invalid(where, `${at.keyword} needs a source and a destination`);
    const remote = words.find(
      (word) => /^(?:https?|git|ssh):\/\/|^git@/.test(word) || /^github\.com\//.test(word),
    );
    if (remote !== undefined) {
      if (at.keyword === "COPY") throw invalid(where, "COPY cannot read a URL");
      throw unsupported(where, "ADD of a URL");
    }
    const owner = this.#expand(at, flags.get("chown") ?? "");
    const mode = this.#expand(at, flags.get("chmod") ?? "");
    if (mode !== "" && !/^0*[0-7]{1,3}$/.test(mode)) throw unsupported(where, `--chmod=${mode}`);
    const path = absolute(to, this.config.WorkingDir);
    const isFolder = /(?:^|\/)\.?$/.test(to) && path !== "/";
    this.steps.push({
      kind: "copy",
      at,
      unpack: at.keyword === "ADD",
      sources: words,
      destination: isFolder ? `${path}/` : path,
      ...(owner === "" ? {} : { owner }),
      ...(mode === "" ? {} : { permissions: Number.parseInt(mode, 8) }),
    });
  }
}

/** The fields of a config that BuildKit keeps. Old images have others, and null for what is not set. */
function known(config: DockerConfig): DockerConfig {
  const fields = Object.entries(config).filter(([name, value]) => FIELDS.has(name) && value !== null);
  return Object.fromEntries(fields);
}

const FIELDS = new Set(
  (
    "User ExposedPorts Env Entrypoint Cmd Volumes WorkingDir Labels StopSignal ArgsEscaped " +
    "Healthcheck OnBuild Shell"
  ).split(" "),
);

function oldPair(text: string): [string, string | undefined] {
  const [, name = "", value] = /^(\S+)\s+(.*)$/s.exec(text) ?? [];
  return [name, value];
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

import { PassThrough, Writable } from "node:stream";
import { EventEmitter } from "node:events";
import type { HostOptions } from "@tgo/functions";
import {
  runCommand,
  type Argument,
  type CommandProcess,
  type Engines,
  type Sdk,
  type ModuleInstance,
  type Product,
  type ModuleApi,
  type Terminal,
} from "../src/index.js";

const SERVICE: Argument = {
  name: "service",
  flag: "service",
  description: "Services of the catalog, or all.",
  type: { kind: "list", of: { kind: "string" } },
  optional: false,
};
const FORMAT: Argument = {
  name: "format",
  flag: "format",
  description: "How the result is written.",
  type: { kind: "enum", name: "Format" },
  optional: true,
  default: "text",
};
const REPORT_FORMAT: Argument = { ...FORMAT, type: { kind: "enum", name: "ReportFormat" } };
const SOURCE: Argument = {
  name: "source",
  flag: "source",
  description: "The service's source.",
  type: { kind: "object", name: "Directory" },
  optional: true,
};
const REPOS: Argument = {
  name: "repos",
  flag: "repos",
  description: "The repository with repos/ in it.",
  type: { kind: "object", name: "Directory" },
  optional: true,
  contextual: { defaultPath: "/", ignore: ["**", "!repos/**"] },
};
const REVISION: Argument = {
  name: "revision",
  flag: "revision",
  description: "The source's commit.",
  type: { kind: "string" },
  optional: true,
};
const STRING = { kind: "string" } as const;
const CREATED: Argument = {
  name: "created",
  flag: "created",
  description: "The commit's time.",
  type: STRING,
  optional: true,
};
const VERSION: Argument = {
  name: "version",
  flag: "version",
  description: "Version to release.",
  type: STRING,
  optional: true,
};
const REFERENCE: Argument = {
  name: "reference",
  flag: "reference",
  description: "Reference of an image.",
  type: STRING,
  optional: false,
};

/** The API of a module shaped like the real one. */
export const MODULE_API: ModuleApi = {
  name: "tgo",
  description: "Builds, publishes and verifies images for two platforms.",
  constructor: {
    arguments: [
      {
        name: "catalog",
        flag: "catalog",
        description: "Override file of the catalog.",
        type: { kind: "object", name: "File" },
        optional: true,
      },
      {
        name: "registry",
        flag: "registry",
        description: "Registries instead of the catalog's.",
        type: { kind: "list", of: STRING },
        optional: true,
      },
      {
        name: "registryService",
        flag: "registry-service",
        description: "How to reach each of them.",
        type: { kind: "list", of: { kind: "object", name: "Service" } },
        optional: true,
      },
      {
        name: "platform",
        flag: "platform",
        description: "Platforms to build.",
        type: { kind: "list", of: STRING },
        optional: true,
      },
      {
        name: "dockerConfig",
        flag: "docker-config",
        description: "Credentials of the registries.",
        type: { kind: "object", name: "Secret" },
        optional: true,
      },
      REPOS,
    ],
  },
  functions: [
    {
      name: "services",
      command: "services",
      description: "Lists the services.",
      arguments: [FORMAT],
      returns: STRING,
    },
    {
      name: "smoke",
      command: "smoke",
      description: "Runs every variant.",
      arguments: [REPORT_FORMAT],
      returns: STRING,
    },
    {
      name: "build",
      command: "build",
      description: "Builds one variant.",
      arguments: [SERVICE, SOURCE],
      returns: { kind: "object", name: "Container" },
    },
    {
      name: "publish",
      command: "publish",
      description: "Publishes services. Nothing is tagged before it is verified.",
      arguments: [
        SERVICE,
        SOURCE,
        REVISION,
        {
          name: "value",
          flag: "value",
          description: "Build values, KEY=VALUE.",
          type: { kind: "list", of: STRING },
          optional: true,
        },
        {
          name: "jobs",
          flag: "jobs",
          description: "How many at once.",
          type: { kind: "integer" },
          optional: true,
          default: 4,
        },
        {
          name: "dryRun",
          flag: "dry-run",
          description: "Only say it.",
          type: { kind: "boolean" },
          optional: true,
          default: false,
        },
        REPORT_FORMAT,
        CREATED,
        VERSION,
      ],
      returns: STRING,
    },
    {
      name: "release",
      command: "release",
      description: "Releases.",
      arguments: [VERSION, REPORT_FORMAT],
      returns: STRING,
    },
    {
      name: "verifyTag",
      command: "verify-tag",
      description: "Verifies.",
      arguments: [SERVICE, REPORT_FORMAT],
      returns: STRING,
    },
    {
      name: "inspect",
      command: "inspect",
      description: "Shows images.",
      arguments: [{ ...REFERENCE, type: { kind: "list", of: STRING } }, FORMAT],
      returns: STRING,
    },
    {
      name: "export",
      command: "export",
      description: "Returns an image as a folder.",
      arguments: [REFERENCE],
      returns: { kind: "object", name: "Directory" },
    },
    {
      name: "fetch",
      command: "fetch",
      description: "Fetches an image.",
      arguments: [REFERENCE],
      returns: STRING,
    },
  ],
  enums: {
    Format: {
      description: "",
      values: [
        { name: "Text", value: "text", description: "" },
        { name: "Json", value: "json", description: "" },
        { name: "Markdown", value: "markdown", description: "" },
      ],
    },
    ReportFormat: {
      description: "",
      values: ["Text", "Json", "Markdown", "Html"].map((name) => ({
        name,
        value: name.toLowerCase(),
        description: "",
      })),
    },
  },
};

/** A call of the module. */
export interface Call {
  readonly method: string;
  readonly constructorArguments: unknown[];
  readonly arguments: unknown[];
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly calls: Call[];
  /** Whether the module was loaded. */
  readonly loaded: boolean;
  readonly host: HostOptions | undefined;
  readonly engineClosed: boolean;
}

export interface RunOptions {
  readonly env?: Record<string, string>;
  readonly name?: CommandProcess["name"];
  readonly cwd?: string;
  readonly home?: string;
  readonly tty?: boolean;
  /** What the function does, given its host options. */
  readonly behave?: (call: Call, host: HostOptions) => Promise<unknown>;
  readonly engines?: Partial<Engines>;
  /** Instead of the SDK's. */
  readonly connection?: Sdk["connection"];
  readonly connect?: Sdk["connect"];
  readonly signals?: EventEmitter;
  readonly exit?: (code: number) => void;
  readonly stdout?: Terminal;
  readonly isStdoutClosed?: boolean;
}

/** Engine objects as the SDK would make them, written as text. */
const CLIENT = {
  host: () => ({
    directory: (path: string, options?: { exclude?: string[] }) => ({ directory: path, ...options }),
    file: (path: string) => ({ file: path }),
    service: (ports: unknown, options: unknown) => ({ ports, options }),
  }),
  setSecret: (name: string, plaintext: string) => ({ secret: name, plaintext }),
};

/** Runs a command line against a module that only records. */
export async function tgo(line: string | readonly string[], options: RunOptions = {}): Promise<Ran> {
  const stdout = capture(options.tty);
  const stderr = capture(options.tty);
  const calls: Call[] = [];
  const state: { loaded: boolean; host?: HostOptions; engineClosed: boolean } = {
    loaded: false,
    engineClosed: false,
  };
  const product: Product = {
    version: "1.2.3",
    moduleApi: MODULE_API,
    load: () => {
      state.loaded = true;
      return Promise.resolve({
        create: (constructorArguments, host) => {
          state.host = host;
          return instance(constructorArguments, calls, host, options);
        },
      });
    },
    builtInCatalog: () =>
      Promise.resolve({
        services: { "tgo-api": { title: "API", build: { strategy: "python" } } },
      }),
    loadSdk: () =>
      Promise.resolve({
        client: CLIENT as unknown as Sdk["client"],
        connection: options.connection ?? ((run) => run()),
        connect: options.connect ?? ((run) => run(CLIENT as unknown as Sdk["client"])),
      }),
  };
  const process: CommandProcess = {
    name: options.name ?? "tgo",
    argv: typeof line === "string" ? line.split(" ").filter((word) => word !== "") : line,
    env: { ...options.env },
    cwd: options.cwd ?? "/nowhere",
    home: options.home ?? "/nowhere",
    stdout: options.stdout ?? stdout.stream,
    stderr: stderr.stream,
    isStdoutClosed: options.isStdoutClosed ?? false,
    events: options.signals ?? new EventEmitter(),
    exit: options.exit ?? (() => undefined),
  };
  const code = await runCommand(product, process, {
    isDockerRunning: () => Promise.resolve(false),
    startLocalEngine: () =>
      Promise.resolve({
        port: 1,
        token: "t",
        name: "local engine (fake)",
        close: () => {
          state.engineClosed = true;
          return Promise.resolve();
        },
      }),
    ...options.engines,
  });
  return { code, stdout: stdout.text(), stderr: stderr.text(), calls, ...state, host: state.host };
}

function instance(
  constructorArguments: unknown[],
  calls: Call[],
  host: HostOptions,
  options: RunOptions,
): ModuleInstance {
  return Object.fromEntries(
    MODULE_API.functions.map(({ name }) => [
      name,
      (...args: unknown[]) => {
        const call = { method: name, constructorArguments, arguments: args };
        calls.push(call);
        return options.behave?.(call, host) ?? Promise.resolve("done");
      },
    ]),
  );
}

function capture(isTTY = false): { stream: Terminal; text: () => string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return {
    stream: Object.assign(stream, { isTTY, columns: 100, rows: 30 }),
    text: () => Buffer.concat(chunks).toString("utf8"),
  };
}

/** A stream whose reader has gone, as with `| head`. */
export function brokenPipe(): Terminal {
  const stream = new PassThrough();
  stream.write = () => {
    stream.emit("error", Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
    return false;
  };
  return stream;
}

/** As the functions throw it: the message is the whole result. */
export class FunctionFailed extends Error {
  constructor(message: string) {
    super(message);
    this.name = "FunctionFailed";
  }
}

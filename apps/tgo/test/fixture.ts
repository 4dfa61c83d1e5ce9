import { PassThrough, Writable } from "node:stream";
import { EventEmitter } from "node:events";
import {
  runCli,
  type Argument,
  type CliProcess,
  type Engines,
  type HostSettings,
  type LoadedModule,
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

/** A module shaped like the real one. */
export const SURFACE: ModuleApi = {
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

/** What the module was called with. */
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
  /** Whether the SDK was loaded. */
  readonly loaded: boolean;
  readonly host: HostSettings | undefined;
  readonly engineClosed: boolean;
}

export interface Scene {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  readonly home?: string;
  readonly tty?: boolean;
  /** What a function does, given what it is told of the host. */
  readonly behave?: (call: Call, host: HostSettings) => Promise<unknown>;
  readonly engines?: Partial<Engines>;
  /** Instead of the SDK's. */
  readonly connection?: LoadedModule["connection"];
  readonly signals?: EventEmitter;
  readonly exit?: (code: number) => void;
  readonly stdout?: Terminal;
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
export async function tgo(line: string | readonly string[], scene: Scene = {}): Promise<Ran> {
  const stdout = capture(scene.tty);
  const stderr = capture(scene.tty);
  const calls: Call[] = [];
  const seen: { loaded: boolean; host?: HostSettings; engineClosed: boolean } = {
    loaded: false,
    engineClosed: false,
  };
  const product: Product = {
    version: "1.2.3",
    surface: SURFACE,
    load: () => {
      seen.loaded = true;
      return Promise.resolve({
        client: CLIENT as unknown as LoadedModule["client"],
        create: (constructorArguments, host) => {
          seen.host = host;
          return instance(constructorArguments, calls, host, scene);
        },
        connection: scene.connection ?? ((run) => run()),
      });
    },
  };
  const process: CliProcess = {
    argv: typeof line === "string" ? line.split(" ").filter((word) => word !== "") : line,
    env: { ...scene.env },
    cwd: scene.cwd ?? "/nowhere",
    home: scene.home ?? "/nowhere",
    stdout: scene.stdout ?? stdout.stream,
    stderr: stderr.stream,
    events: scene.signals ?? new EventEmitter(),
    exit: scene.exit ?? (() => undefined),
  };
  const code = await runCli(product, process, {
    dockerAnswers: () => Promise.resolve(false),
    startLocalEngine: () =>
      Promise.resolve({
        port: 1,
        token: "t",
        name: "embedded engine (fake)",
        close: () => {
          seen.engineClosed = true;
          return Promise.resolve();
        },
      }),
    ...scene.engines,
  });
  return { code, stdout: stdout.text(), stderr: stderr.text(), calls, ...seen, host: seen.host };
}

function instance(
  constructorArguments: unknown[],
  calls: Call[],
  host: HostSettings,
  scene: Scene,
): ModuleInstance {
  return Object.fromEntries(
    SURFACE.functions.map(({ name }) => [
      name,
      (...args: unknown[]) => {
        const call = { method: name, constructorArguments, arguments: args };
        calls.push(call);
        return scene.behave?.(call, host) ?? Promise.resolve("done");
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

/** As the stages throw it: the message is the whole answer. */
export class FunctionFailed extends Error {
  constructor(message: string) {
    super(message);
    this.name = "FunctionFailed";
  }
}

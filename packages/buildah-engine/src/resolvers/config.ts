import { TgoError } from "@tgo/errors";
import { formatDuration, parseDuration } from "../duration.js";
import type { ContainerState, Healthcheck, ImageConfig, Port, RegistryAuth, SecretState } from "../state.js";
import { absolute } from "../paths.js";
import { expandVariables } from "./container.js";
import type { Field, Fields } from "./fields.js";

/** The config with `NAME=value` set; a name that is there keeps its place. */
export function withEnv(config: ImageConfig, item: string): ImageConfig {
  const name = item.slice(0, item.indexOf("=") + 1);
  const env = config.Env ?? [];
  const set = env.some((other) => other.startsWith(name));
  return {
    ...config,
    Env: set ? env.map((other) => (other.startsWith(name) ? item : other)) : [...env, item],
  };
}

/** A field that changes the image's config only. */
function config<A>(
  change: (config: ImageConfig, args: A, state: ContainerState) => ImageConfig,
): Field<ContainerState, A> {
  return (state, args) => ({ ...state, config: change(state.config, args, state) });
}

function withoutKey<T>(record: Readonly<Record<string, T>> | undefined, key: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record ?? {}).filter(([name]) => name !== key));
}

const pairs = (items: readonly string[] | undefined): { name: string; value: string }[] =>
  (items ?? []).map((item) => ({
    name: item.slice(0, item.indexOf("=")),
    value: item.slice(item.indexOf("=") + 1),
  }));

/** Fields that touch no file: what they set becomes part of the image's config, or of how commands run. */
export const configFields = {
  withEnvVariable: config((c, args: { name: string; value: string; expand: boolean }, state) =>
    withEnv(c, `${args.name}=${args.expand ? expandVariables(state, args.value) : args.value}`),
  ),
  withoutEnvVariable: config((c, { name }: { name: string }) => ({
    ...c,
    Env: (c.Env ?? []).filter((item) => !item.startsWith(`${name}=`)),
  })),
  envVariable: (state: ContainerState, { name }: { name: string }) =>
    pairs(state.config.Env).find((item) => item.name === name)?.value ?? null,
  envVariables: (state: ContainerState) => pairs(state.config.Env),

  withWorkdir: config((c, args: { path: string; expand: boolean }, state) => ({
    ...c,
    WorkingDir: absolute(args.expand ? expandVariables(state, args.path) : args.path, c.WorkingDir),
  })),
  withoutWorkdir: config((c) => ({ ...c, WorkingDir: undefined })),
  workdir: (state: ContainerState) => state.config.WorkingDir ?? "/",
  withUser: config((c, { name }: { name: string }) => ({ ...c, User: name })),
  withoutUser: config((c) => ({ ...c, User: undefined })),
  user: (state: ContainerState) => state.config.User ?? "",

  withEntrypoint: config((c, { args, keepDefaultArgs }: { args: string[]; keepDefaultArgs: boolean }) => ({
    ...c,
    Entrypoint: args,
    Cmd: keepDefaultArgs ? c.Cmd : undefined,
  })),
  withoutEntrypoint: config((c, { keepDefaultArgs }: { keepDefaultArgs: boolean }) => ({
    ...c,
    Entrypoint: undefined,
    Cmd: keepDefaultArgs ? c.Cmd : undefined,
  })),
  entrypoint: (state: ContainerState) => state.config.Entrypoint ?? [],
  withDefaultArgs: config((c, { args }: { args: string[] }) => ({ ...c, Cmd: args })),
  withoutDefaultArgs: config((c) => ({ ...c, Cmd: undefined })),
  defaultArgs: (state: ContainerState) => state.config.Cmd ?? [],

  withLabel: config((c, { name, value }: { name: string; value: string }) => ({
    ...c,
    Labels: { ...c.Labels, [name]: value },
  })),
  withoutLabel: config((c, { name }: { name: string }) => ({ ...c, Labels: withoutKey(c.Labels, name) })),
  label: (state: ContainerState, { name }: { name: string }) => state.config.Labels?.[name] ?? null,
  labels: (state: ContainerState) =>
    Object.entries(state.config.Labels ?? {}).map(([name, value]) => ({ name, value })),
  withAnnotation: (state: ContainerState, { name, value }: { name: string; value: string }) => ({
    ...state,
    annotations: { ...state.annotations, [name]: value },
  }),
  withoutAnnotation: (state: ContainerState, { name }: { name: string }) => ({
    ...state,
    annotations: withoutKey(state.annotations, name),
  }),

  withExposedPort: (state: ContainerState, port: Port) => ({
    ...state,
    ports: [...state.ports.filter((other) => !samePort(other, port)), port],
    config: { ...state.config, ExposedPorts: { ...state.config.ExposedPorts, [portKey(port)]: {} } },
  }),
  withoutExposedPort: (state: ContainerState, port: Pick<Port, "port" | "protocol">) => ({
    ...state,
    ports: state.ports.filter((other) => !samePort(other, port)),
    config: { ...state.config, ExposedPorts: withoutKey(state.config.ExposedPorts, portKey(port)) },
  }),
  /** The image's own ones too; but only those of withExposedPort are waited for when it becomes a service. */
  exposedPorts: (state: ContainerState): Port[] =>
    Object.keys(state.config.ExposedPorts ?? {}).map((key) => {
      const [port = "", protocol] = key.split("/");
      const known = state.ports.find((other) => portKey(other) === key);
      const named = { port: Number(port), protocol: protocol === "udp" ? "UDP" : "TCP" } as const;
      return known ?? { ...named, experimentalSkipHealthcheck: false };
    }),

  withDockerHealthcheck: config((c, args: HealthcheckArguments) => ({
    ...c,
    Healthcheck: healthcheck(args),
  })),
  withoutDockerHealthcheck: config((c) => ({ ...c, Healthcheck: undefined })),
  dockerHealthcheck: (state: ContainerState) => {
    const check = state.config.Healthcheck;
    if (!check) return null;
    const [kind, ...args] = check.Test;
    return {
      shell: kind === "CMD-SHELL",
      args,
      interval: formatDuration(check.Interval),
      timeout: formatDuration(check.Timeout),
      startPeriod: formatDuration(check.StartPeriod),
      startInterval: formatDuration(check.StartInterval),
      retries: check.Retries ?? 0,
    };
  },

  withSecretVariable: async (
    state: ContainerState,
    { name, secret }: { name: string; secret: string },
    { load },
  ) => ({
    ...state,
    secrets: [
      ...state.secrets.filter((other) => other.name !== name),
      { name, secret: await load<SecretState>(secret, "Secret") },
    ],
  }),
  withoutSecretVariable: (state: ContainerState, { name }: { name: string }) => ({
    ...state,
    secrets: state.secrets.filter((other) => other.name !== name),
  }),
  withRegistryAuth: async (
    state: ContainerState,
    args: { address: string; username: string; secret: string },
    { load },
  ) => {
    const auth: RegistryAuth = {
      address: args.address,
      username: args.username,
      secret: await load<SecretState>(args.secret, "Secret"),
    };
    return { ...state, auth: [...state.auth.filter((other) => other.address !== args.address), auth] };
  },
  withoutRegistryAuth: (state: ContainerState, { address }: { address: string }) => ({
    ...state,
    auth: state.auth.filter((other) => other.address !== address),
  }),
} satisfies Fields<ContainerState>;

type PortName = Pick<Port, "port" | "protocol">;

const portKey = ({ port, protocol }: PortName): string => `${port}/${protocol.toLowerCase()}`;
const samePort = (a: PortName, b: PortName): boolean => portKey(a) === portKey(b);

interface HealthcheckArguments {
  readonly args: string[];
  readonly shell?: boolean;
  readonly interval?: string;
  readonly timeout?: string;
  readonly startPeriod?: string;
  readonly startInterval?: string;
  readonly retries?: number;
}

function healthcheck(args: HealthcheckArguments): Healthcheck {
  if (args.shell === true && args.args.length !== 1)
    throw new TgoError("USAGE", "a health check with shell has exactly one argument, the command line");
  const times = {
    Interval: parseDuration(args.interval),
    Timeout: parseDuration(args.timeout),
    StartPeriod: parseDuration(args.startPeriod),
    StartInterval: parseDuration(args.startInterval),
    Retries: args.retries,
  };
  const set = Object.fromEntries(Object.entries(times).filter(([, value]) => value !== undefined));
  return { Test: [args.shell === true ? "CMD-SHELL" : "CMD", ...args.args], ...set };
}

import { TgoError } from "@tgo/errors";
import { absolute } from "../../files/paths.js";
import type { ImageConfig } from "../../images/image.js";
import type { ContainerState, RegistryAuth, SecretState } from "../../state.js";
import { parseGoDuration } from "../go-duration.js";
import type { Field, Fields } from "./field.js";

/** The config with `NAME=value` set; a name that is already set keeps its position. */
export function withEnv(config: ImageConfig, item: string): ImageConfig {
  const name = item.slice(0, item.indexOf("=") + 1);
  const env = config.Env ?? [];
  const isSet = env.some((other) => other.startsWith(name));
  const Env = isSet ? env.map((other) => (other.startsWith(name) ? item : other)) : [...env, item];
  return { ...config, Env };
}

/** A field that changes only the image's config. */
function config<A>(change: (config: ImageConfig, args: A) => Partial<ImageConfig>): Field<ContainerState, A> {
  return (state, args) => ({ ...state, config: { ...state.config, ...change(state.config, args) } });
}

export interface NameArgument {
  readonly name: string;
}

export interface SecretArgument {
  readonly secret: string;
}

type Account = Pick<RegistryAuth, "address" | "username">;

/** Fields that touch no files: they set the image's config, or how commands run. */
export const configFields = {
  withEnvVariable: config((c, { name, value }: NameArgument & { value: string }) =>
    withEnv(c, `${name}=${value}`),
  ),
  withoutEnvVariable: config((c, { name }: NameArgument) => ({
    Env: (c.Env ?? []).filter((item) => !item.startsWith(`${name}=`)),
  })),
  envVariable: (state: ContainerState, { name }: NameArgument) =>
    state.config.Env?.find((item) => item.startsWith(`${name}=`))?.slice(name.length + 1) ?? null,

  withWorkdir: config((c, { path }: { path: string }) => ({ WorkingDir: absolute(path, c.WorkingDir) })),
  withUser: config((_, { name }: NameArgument) => ({ User: name })),
  user: (state: ContainerState) => state.config.User ?? "",
  withLabel: config((c, { name, value }: NameArgument & { value: string }) => ({
    Labels: { ...c.Labels, [name]: value },
  })),

  withEntrypoint: config((_, { args }: { args: string[] }) => ({ Entrypoint: args, Cmd: undefined })),
  entrypoint: (state: ContainerState) => state.config.Entrypoint ?? [],
  withDefaultArgs: config((_, { args }: { args: string[] }) => ({ Cmd: args })),
  defaultArgs: (state: ContainerState) => state.config.Cmd ?? [],

  withExposedPort: (state: ContainerState, { port }: { port: number }) => ({
    ...state,
    ports: [...new Set([...state.ports, port])],
    config: { ...state.config, ExposedPorts: { ...state.config.ExposedPorts, [`${port}/tcp`]: {} } },
  }),
  withoutExposedPort: ({ ports, config: c, ...state }: ContainerState, { port }: { port: number }) => {
    const others = Object.entries(c.ExposedPorts ?? {}).filter(([key]) => key !== `${port}/tcp`);
    const config = { ...c, ExposedPorts: Object.fromEntries(others) };
    return { ...state, config, ports: ports.filter((other) => other !== port) };
  },
  withDockerHealthcheck: config((_, args: HealthcheckArguments) => ({ Healthcheck: healthcheck(args) })),
  withoutDockerHealthcheck: config(() => ({ Healthcheck: undefined })),

  withSecretVariable: async (
    state: ContainerState,
    { name, secret: id }: NameArgument & SecretArgument,
    { load },
  ) => {
    const secret = await load<SecretState>(id, "Secret");
    return { ...state, secrets: [...state.secrets.filter((other) => other.name !== name), { name, secret }] };
  },
  withRegistryAuth: async (
    state: ContainerState,
    { secret: id, ...account }: Account & SecretArgument,
    { load },
  ) => {
    const secret = await load<SecretState>(id, "Secret");
    const others = state.auth.filter((other) => other.address !== account.address);
    return { ...state, auth: [...others, { ...account, secret }] };
  },
} satisfies Fields<ContainerState>;

export interface HealthcheckArguments {
  readonly args: string[];
  readonly shell?: boolean;
  readonly interval?: string;
  readonly timeout?: string;
  readonly startPeriod?: string;
  readonly startInterval?: string;
  readonly retries?: number;
}

/** The health check in Docker's format; undefined values are not written. */
function healthcheck({ args, shell = false, ...times }: HealthcheckArguments): object {
  if (shell && args.length !== 1)
    throw new TgoError("USAGE", "a health check with shell takes exactly one argument, the command line");
  return {
    Test: [shell ? "CMD-SHELL" : "CMD", ...args],
    Interval: parseGoDuration(times.interval),
    Timeout: parseGoDuration(times.timeout),
    StartPeriod: parseGoDuration(times.startPeriod),
    StartInterval: parseGoDuration(times.startInterval),
    Retries: times.retries,
  };
}

import { TgoError } from "@tgo/errors";
import { parseDuration } from "../duration.js";
import { absolute } from "../paths.js";
import type { ContainerState, ImageConfig, RegistryAuth, SecretState } from "../state.js";
import type { Field, Fields } from "./fields.js";

/** The config with `NAME=value` set; a name that is there keeps its place. */
export function withEnv(config: ImageConfig, item: string): ImageConfig {
  const name = item.slice(0, item.indexOf("=") + 1);
  const env = config.Env ?? [];
  const isSet = env.some((other) => other.startsWith(name));
  const Env = isSet ? env.map((other) => (other.startsWith(name) ? item : other)) : [...env, item];
  return { ...config, Env };
}

/** A field that changes the image's config only. */
function config<A>(change: (config: ImageConfig, args: A) => Partial<ImageConfig>): Field<ContainerState, A> {
  return (state, args) => ({ ...state, config: { ...state.config, ...change(state.config, args) } });
}

interface Named {
  readonly name: string;
}

interface Secret {
  readonly secret: string;
}

type Account = Pick<RegistryAuth, "address" | "username">;

/** Fields that touch no file: what they set becomes part of the image's config, or of how commands run. */
export const configFields = {
  withEnvVariable: config((c, { name, value }: Named & { value: string }) => withEnv(c, `${name}=${value}`)),
  withoutEnvVariable: config((c, { name }: Named) => ({
    Env: (c.Env ?? []).filter((item) => !item.startsWith(`${name}=`)),
  })),
  envVariable: (state: ContainerState, { name }: Named) =>
    state.config.Env?.find((item) => item.startsWith(`${name}=`))?.slice(name.length + 1) ?? null,

  withWorkdir: config((c, { path }: { path: string }) => ({ WorkingDir: absolute(path, c.WorkingDir) })),
  withUser: config((_, { name }: Named) => ({ User: name })),
  user: (state: ContainerState) => state.config.User ?? "",
  withLabel: config((c, { name, value }: Named & { value: string }) => ({
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

  withSecretVariable: async (state: ContainerState, { name, secret: id }: Named & Secret, { load }) => {
    const secret = await load<SecretState>(id, "Secret");
    return { ...state, secrets: [...state.secrets.filter((other) => other.name !== name), { name, secret }] };
  },
  withRegistryAuth: async (state: ContainerState, { secret: id, ...account }: Account & Secret, { load }) => {
    const secret = await load<SecretState>(id, "Secret");
    const others = state.auth.filter((other) => other.address !== account.address);
    return { ...state, auth: [...others, { ...account, secret }] };
  },
} satisfies Fields<ContainerState>;

interface HealthcheckArguments {
  readonly args: string[];
  readonly shell?: boolean;
  readonly interval?: string;
  readonly timeout?: string;
  readonly startPeriod?: string;
  readonly startInterval?: string;
  readonly retries?: number;
}

/** As Docker's config has it; what is undefined is not written. */
function healthcheck({ args, shell = false, ...times }: HealthcheckArguments): object {
  if (shell && args.length !== 1)
    throw new TgoError("USAGE", "a health check with shell has exactly one argument, the command line");
  return {
    Test: [shell ? "CMD-SHELL" : "CMD", ...args],
    Interval: parseDuration(times.interval),
    Timeout: parseDuration(times.timeout),
    StartPeriod: parseDuration(times.startPeriod),
    StartInterval: parseDuration(times.startInterval),
    Retries: times.retries,
  };
}

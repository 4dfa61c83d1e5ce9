import type { ProgressMode } from "./progress/display.js";

/** `buildah` is the former name of `local`. */
export const ENGINES = ["auto", "dagger", "local", "buildah"] as const;
export type EngineSetting = (typeof ENGINES)[number];

/** An engine that builds and runs one platform: `linux/arm64=tcp://arm:1234`. */
export interface PlatformEngine {
  readonly platform: string;
  /** As Dagger takes it, or `local` for the engine of this repository. */
  readonly address: string;
}

/** The command's own flags: how to run a function, not what it does. */
export interface Settings {
  readonly engine: EngineSetting;
  /** Engines of single platforms, for publish and release. */
  readonly engines: readonly PlatformEngine[];
  readonly progress: ProgressMode;
  readonly verbose: boolean;
  /** File for the image, or for a result that is not a report. */
  readonly output: string | undefined;
  /** Files for the report, in addition to its text on stdout. */
  readonly reports: readonly string[];
  /** Signs digests with a key that it does not hand out; the file of the public half. */
  readonly signingCommand: string | undefined;
  readonly signingPublicKey: string | undefined;
  /** PEM file of a company's certificate authorities; also a module argument where it has one. */
  readonly caBundle: string | undefined;
}

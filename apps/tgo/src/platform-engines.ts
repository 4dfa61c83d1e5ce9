import { parsePlatform } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { unknownValue } from "./unknown-value.js";
import { ENGINES, type EngineSetting, type PlatformEngine } from "./settings.js";

export interface EngineFlags {
  readonly engine: EngineSetting;
  readonly engines: readonly PlatformEngine[];
}

/**
 * Reads the values of --engine: one that names the kind of engine, and one for each platform that has its own.
 * @throws TgoError USAGE
 */
export function parseEngineFlags(values: readonly string[]): EngineFlags {
  const engines = values.filter((text) => text.includes("=")).map(parsePlatformEngine);
  const [twice] = engines.filter(
    ({ platform }, at) => engines.findIndex((each) => each.platform === platform) !== at,
  );
  if (twice !== undefined)
    throw new TgoError("USAGE", `--engine names two engines of ${twice.platform}`, {
      remedy: "Each platform has one engine.",
    });
  const kind = values.filter((text) => !text.includes("=")).at(-1) ?? "auto";
  const engine = ENGINES.find((each) => each === kind);
  if (engine === undefined) throw unknownValue("engine", kind, ENGINES);
  return { engine, engines };
}

function parsePlatformEngine(text: string): PlatformEngine {
  const at = text.indexOf("=");
  const [platform, address] = [text.slice(0, at), text.slice(at + 1)];
  const isAddress = address === "local" || /^(?!https?:)[a-z][a-z+-]*:\/\/[^\s]+$/.test(address);
  if (platform !== "" && isAddress) return { platform: parsePlatform(platform), address };
  throw new TgoError("USAGE", `--engine "${text}" is not PLATFORM=ADDRESS`, {
    remedy:
      "For example: --engine linux/arm64=tcp://arm:1234. Other addresses: unix:///run/dagger/engine.sock, " +
      "container://NAME, kube-pod://NAME?namespace=NAME, and local for this repository's own engine.",
  });
}

/**
 * The engines of single platforms. With several of them and none of another kind, the first one also assembles the image: no
 * further engine is needed.
 */
export function platformEngines({ engine, engines }: EngineFlags): {
  readonly platforms: readonly PlatformEngine[];
  readonly isAssembledThere: boolean;
} {
  return { platforms: engines, isAssembledThere: engine === "auto" && engines.length > 1 };
}

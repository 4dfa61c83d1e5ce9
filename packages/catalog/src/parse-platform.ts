import { TgoError } from "@tgo/errors";
import { nearestName } from "./nearest-name.js";

/**
 * The platforms an image can be built for, as `os/architecture`.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md#image-index-property-descriptions
 */
export const PLATFORMS = ["linux/amd64", "linux/arm64"] as const;

type Platform = (typeof PLATFORMS)[number];

/** @throws TgoError USAGE when the text is not a platform of {@link PLATFORMS}. */
export function parsePlatform(text: string): Platform {
  const platform = PLATFORMS.find((known) => known === text.trim());
  if (platform !== undefined) return platform;
  const meant = nearestPlatform(text);
  const hint = meant === undefined ? "" : `; did you mean "${meant}"?`;
  throw new TgoError("USAGE", `"${text}" is not a platform this product builds${hint}`, {
    remedy: `Use one of: ${PLATFORMS.join(", ")}.`,
  });
}

/** What others call the architectures: uname, Docker's and Node's words. */
const ALIASES: Readonly<Record<string, Platform>> = {
  amd64: "linux/amd64",
  x86_64: "linux/amd64",
  "x86-64": "linux/amd64",
  x64: "linux/amd64",
  intel: "linux/amd64",
  arm64: "linux/arm64",
  aarch64: "linux/arm64",
  arm: "linux/arm64",
  armv8: "linux/arm64",
};

/** The platform that was probably meant: `arm64` and `linux/aarch64` are linux/arm64. */
function nearestPlatform(text: string): Platform | undefined {
  const typed = text.trim().toLowerCase();
  const [architecture = ""] = typed.replace(/^(?:linux|darwin|macos)[/:_-]/, "").split("/");
  const alias = ALIASES[architecture];
  if (alias !== undefined) return alias;
  const nearest =
    nearestName(typed, PLATFORMS) ?? ALIASES[nearestName(architecture, Object.keys(ALIASES)) ?? ""];
  return PLATFORMS.find((known) => known === nearest);
}

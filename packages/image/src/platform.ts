import { TgoError } from "@tgo/errors";

/** `os/architecture` or `os/architecture/variant` in Go's names, such as "linux/amd64" or "linux/arm/v7". */
export type Platform = string;

/** image-spec, image-index.md: the `platform` property of a descriptor. */
export interface PlatformParts {
  readonly os: string;
  readonly architecture: string;
  /** Undefined as well: valibot infers it for an optional property. */
  readonly variant?: string | undefined;
}

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  "x86-64": "amd64",
  aarch64: "arm64",
  i386: "386",
};

/**
 * The platform in an image's document. The variant arm64/v8 is omitted, as all container engines take it for the same.
 * Other words for an architecture stay as they are: containerd knows "aarch64", skopeo does not.
 */
export function platformOf({ os, architecture, variant }: PlatformParts): Platform {
  const implied = variant === undefined || variant === "" || (architecture === "arm64" && variant === "v8");
  return implied ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/** A platform that a person wrote, in the canonical spelling. @throws TgoError USAGE for a text that is not `os/architecture[/variant]` */
export function parsePlatform(text: string): PlatformParts {
  const match = /^([a-z0-9]+)\/([a-z0-9_-]+)(?:\/([a-z0-9.]+))?$/.exec(text);
  const [, os, architecture, variant] = match ?? [];
  if (os === undefined || architecture === undefined) {
    throw new TgoError("USAGE", `"${text}" is not a platform`, {
      remedy: 'Write it as "linux/amd64" or "linux/arm64".',
    });
  }
  const name = ARCHITECTURES[architecture] ?? architecture;
  const implied =
    variant === undefined || (name === "arm64" && variant === "v8") || (name === "amd64" && variant === "v1");
  return { os, architecture: name, ...(implied ? {} : { variant }) };
}

import { TgoError } from "@tgo/errors";
import type { Mirrors } from "./catalog.js";
import { withoutUserInfo } from "./public-url.js";
import { REGISTRY_HOST } from "./registry-host.js";

const IMAGE_PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;

/** The names `--mirror` accepts besides the hosts of base images, with their catalog fields. */
const INDEXES = {
  pypi: "pypi",
  npm: "npm",
  debian: "debian",
  "debian-security": "debianSecurity",
} as const;

/**
 * Adds `--mirror` values to the catalog's mirrors: `pypi=URL`, `npm=URL`, `debian=URL`, `debian-security=URL`, or the
 * host of base images, as in `docker.io=mirror.example.com/hub`.
 * @throws TgoError USAGE with the value and the grammar
 */
export function withMirrorFlags(mirrors: Mirrors, flags: readonly string[]): Mirrors {
  return flags.reduce<Mirrors>((result, text) => {
    const equals = text.indexOf("=");
    if (equals < 1) throw notAMirror(text, "it is not NAME=ADDRESS");
    const name = text.slice(0, equals).trim();
    const address = text.slice(equals + 1).trim();
    const index = Object.entries(INDEXES).find(([known]) => known === name)?.[1];
    if (index !== undefined) return { ...result, [index]: indexUrl(text, address) };
    if (!REGISTRY_HOST.test(name) || !/[.:]|^localhost$/.test(name)) {
      throw notAMirror(
        text,
        `"${name}" is neither one of ${Object.keys(INDEXES).join(", ")} nor a registry host`,
      );
    }
    return { ...result, images: { ...result.images, [name]: imageAddress(text, address) } };
  }, mirrors);
}

function indexUrl(text: string, address: string): string {
  if (!/^https?:\/\/[^/\s]/.test(address) || !URL.canParse(address)) {
    throw notAMirror(text, "its address is not an http or https URL");
  }
  const { username, password } = new URL(address);
  if (username === "" && password === "") return address;
  // Plans and logs show the address, so it must not contain credentials; the error leaves it out for the same reason.
  throw notAMirror(
    text.slice(0, text.indexOf("=")),
    "its address contains credentials: put them into --netrc or --npmrc",
  );
}

function imageAddress(text: string, address: string): string {
  const [host = "", ...path] = address.replace(/\/$/, "").split("/");
  if (REGISTRY_HOST.test(host) && (path.length === 0 || IMAGE_PATH.test(path.join("/")))) {
    return [host, ...path].join("/");
  }
  throw notAMirror(text, "its address is not host[:port][/path], without a scheme");
}

function notAMirror(text: string, why: string): TgoError {
  return new TgoError("USAGE", `--mirror "${withoutUserInfo(text)}" is not a mirror: ${why}`, {
    remedy:
      "Write pypi=URL, npm=URL, debian=URL or debian-security=URL, or the host of base images and its mirror: docker.io=mirror.example.com/hub.",
  });
}

import * as v from "@tgo/schemas";
import { HOST_PATTERN } from "./registry-host.js";

/**
 * A base image as a fully qualified reference with a tag or a digest: `docker.io/library/python:3.11-slim`.
 * The host is mandatory: a mirror is chosen by it, and nothing depends on a tool's default registry.
 * @see https://github.com/distribution/reference/blob/v0.6.0/reference.go
 */
export const BaseImage = v.pipe(
  v.string(),
  v.regex(
    new RegExp(
      String.raw`^${HOST_PATTERN}(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)+(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`,
    ),
    "must be a full image reference with host and tag or digest, such as docker.io/library/python:3.11-slim",
  ),
  v.check(
    (reference) => /[:@]/.test(reference.slice(reference.lastIndexOf("/"))),
    "needs a tag or a digest, such as docker.io/library/python:3.11-slim",
  ),
);
export type BaseImage = v.InferOutput<typeof BaseImage>;

/**
 * The address to pull a base image from: its own, or its host's mirror.
 * @param mirrors by host, e.g. `{ "docker.io": "mirror.example.com/hub" }`
 */
export function mirrored(reference: BaseImage, mirrors: Readonly<Record<string, string>>): string {
  const slash = reference.indexOf("/");
  const mirror = mirrors[reference.slice(0, slash)];
  return mirror === undefined ? reference : `${mirror.replace(/\/$/, "")}${reference.slice(slash)}`;
}

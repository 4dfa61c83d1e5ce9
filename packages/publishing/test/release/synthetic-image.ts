import { createHash } from "node:crypto";
import type { Platform } from "@tgo/catalog";
import { finaliseImage, type FinalImage } from "@tgo/image";
import { CANDIDATE_ANNOTATION } from "../../src/candidate/annotations.js";
import { stageImage, MemoryRegistry } from "@tgo/testing";

export const PLATFORMS: readonly Platform[] = ["linux/amd64", "linux/arm64"];
export const REVISION = "0123456789abcdef0123456789abcdef01234567";

/** Where images are built: the same ones for every harness. */
export const BUILDER = new MemoryRegistry("builder.test");
const IMAGES = new Map<string, Promise<FinalImage>>();

/** The final image of a service's version; `attestation`: made of one that has some, as BuildKit adds them. */
export function imageOf(
  service: string,
  version: string,
  { attestation = false }: { readonly attestation?: boolean },
): Promise<FinalImage> {
  const key = keyOf(service, version);
  const name = `${key}-${String(attestation)}`;
  const image = IMAGES.get(name) ?? build(service, version, name, attestation);
  IMAGES.set(name, image);
  return image;
}

/** A layer that both platforms share, and one of each platform; none of them compresses. */
async function build(
  service: string,
  version: string,
  tag: string,
  attestation: boolean,
): Promise<FinalImage> {
  const client = BUILDER.client();
  const layer = (name: string): { path: string; content: Buffer }[] => [
    { path: `app/${name.replaceAll("/", "-")}`, content: noise(`${service} ${version} ${name}`) },
  ];
  const variants = PLATFORMS.map((platform) => ({ platform, layers: [layer("shared"), layer(platform)] }));
  await stageImage(client, service, tag, variants, { attestation });
  return finaliseImage({
    source: { registry: client, repository: service, reference: tag },
    platforms: PLATFORMS,
    created: new Date(0),
    annotations: {
      [CANDIDATE_ANNOTATION]: keyOf(service, version),
      "org.opencontainers.image.version": version,
      "org.opencontainers.image.revision": REVISION,
    },
  });
}

/** 200 kB: several packets on any connection, so that there is a middle to break off in. */
function noise(seed: string): Buffer {
  return createHash("shake256", { outputLength: 200_000 }).update(seed).digest();
}

export function keyOf(service: string, version: string): string {
  return createHash("sha256").update(`${service} ${version}`).digest("hex").slice(0, 16);
}

import { TgoError } from "@tgo/errors";
import type { Registry } from "./client.js";
import type { Descriptor } from "./manifest-schemas.js";
import type { Repository } from "./push-blobs-and-manifests.js";
import type { Artifact, AttachResult } from "./referrers.js";

/** Attaches one document to an image: see {@link Registry.attach}. */
export async function attachArtifact(
  to: Repository,
  subject: Descriptor,
  artifact: Artifact,
  anonymous?: Registry,
): Promise<AttachResult> {
  const [attached] = await to.registry.attach(to.repository, subject, [artifact], anonymous);
  if (attached === undefined) throw new TgoError("INTERNAL", "no document was attached");
  return attached;
}

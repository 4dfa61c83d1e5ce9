import type { BillFiles, FilesReader } from "@tgo/image";
import type { Descriptor, ImageConfig, Repository } from "@tgo/registry";
import type { Bill, BillSubject, LockedPackage } from "./bill.js";
import { readBill } from "./read-bill.js";

/** An image of one platform in a registry. */
export interface BilledImage {
  /** "linux/arm64" */
  readonly platform: string;
  /** Of its manifest. */
  readonly digest: string;
  /** Its title and version are the labels of the image specification. */
  readonly config: BilledConfig;
  readonly layers: readonly Descriptor[];
}

interface BilledConfig {
  readonly created?: ImageConfig["created"];
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Reads the layers of an image and lists what it consists of.
 * @param reader made with `isBillFile`; one for all platforms of an image reads their common layers once
 * @param locked packages that are compiled into files of the image
 * @throws TgoError as FilesReader does
 */
export async function readImageBill(
  source: Repository,
  image: BilledImage,
  reader: FilesReader,
  locked: readonly LockedPackage[] = [],
): Promise<Bill> {
  return billOf(image, await reader.read(source, image.layers), locked);
}

/** As {@link readImageBill}, from the image's files. */
export function billOf(
  image: Omit<BilledImage, "layers">,
  files: BillFiles,
  locked: readonly LockedPackage[] = [],
): Bill {
  return readBill(subjectOf(image), files, locked);
}

function subjectOf({
  platform,
  digest,
  config: { created, labels },
}: Omit<BilledImage, "layers">): BillSubject {
  const title = labels["org.opencontainers.image.title"] ?? "";
  const time = created == null ? Number.NaN : Date.parse(created);
  return {
    name: nameOf(title),
    digest,
    platform,
    version: labels["org.opencontainers.image.version"],
    created: Number.isNaN(time) ? undefined : `${new Date(time).toISOString().slice(0, 19)}Z`,
  };
}

/** "TGO API" becomes "tgo-api". */
function nameOf(title: string): string {
  const name = title
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  return name === "" ? "image" : name;
}

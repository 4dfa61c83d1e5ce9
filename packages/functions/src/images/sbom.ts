import { cycloneDx, readImageBill, spdx } from "@tgo/attestation";
import { TgoError } from "@tgo/errors";
import { FilesReader, isBillFile, parsePlatform, platformOf } from "@tgo/image";
import { requireImage } from "@tgo/inspection";
import type { Call } from "../call.js";
import { openReferences, requireReferences } from "../references.js";
import { sourceOf } from "./inspect.js";
import { scanBill } from "./scan-bill.js";

/** Formats of bills of materials: CycloneDX 1.6 and SPDX 2.3, both JSON. */
export type SbomFormat = "cyclonedx" | "spdx";

export interface SbomFlags {
  readonly format: SbomFormat;
  /** Whether to show what a scanner of vulnerabilities finds, instead of the document. */
  readonly scan: boolean;
}

/**
 * The bill of materials of one platform's image, from its layers. Needs no engine.
 * @throws TgoError USAGE when the image has several platforms and none is chosen; what scanBill throws
 */
export async function sbom(call: Call, text: string, { format, scan }: SbomFlags): Promise<string> {
  requireReferences("sbom", text === "" ? [] : [text]);
  const { references, named, progress, clean } = await openReferences(call, [text]);
  const [reference] = references;
  if (reference === undefined) throw new TgoError("INTERNAL", "no reference");
  const source = sourceOf(named(reference));
  const platforms = (call.options.platform ?? []).map((each) => platformOf(parsePlatform(each)));
  const tree = await requireImage(source, platforms);
  const [variant, ...others] = tree.platforms;
  if (variant?.config === undefined) throw new TgoError("INTERNAL", "the image has no config");
  if (others.length > 0)
    throw new TgoError("USAGE", "a bill of materials is of one platform, and the image has several", {
      where: tree.reference,
      remedy: `Choose one: --platform ${tree.platforms.map(({ platform }) => platform).join(", or --platform ")}.`,
    });
  const { config } = variant;
  const bill = await progress.step({ step: "sbom", service: reference.repository }, () =>
    readImageBill(source, { ...variant, config }, new FilesReader({ keep: isBillFile, digests: false })),
  );
  const document = format === "spdx" ? spdx(bill) : cycloneDx(bill);
  const json = `${JSON.stringify(document, null, 2)}\n`;
  if (!scan) return json;
  return clean(await progress.step({ step: "scan" }, () => scanBill(call, json)));
}

import { scanDirectory, type ElfReport } from "@tgo/image";

export interface ScanInput {
  readonly root: string;
  readonly platform: string;
  readonly allow: readonly string[];
}

/** Every file of a variant, read natively: nothing of the variant is run. */
export function scan({ root, platform, allow }: ScanInput): Promise<ElfReport> {
  return scanDirectory(root, platform, { allow });
}

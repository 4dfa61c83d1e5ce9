import { scanDirectory, type ElfReport } from "@tgo/image";

export interface ScanElfInput {
  readonly root: string;
  readonly platform: string;
  readonly allow: readonly string[];
}

/** Reads every file of an image natively; none of its programs runs. */
export function scanElf({ root, platform, allow }: ScanElfInput): Promise<ElfReport> {
  return scanDirectory(root, platform, { allow });
}

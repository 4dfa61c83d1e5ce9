import { scanDirectory, type ElfReport, type ElfScanOptions } from "@tgo/image";

export interface ScanElfInput extends ElfScanOptions {
  readonly root: string;
  readonly platform: string;
}

/** Reads every file of an image natively; none of its programs runs. */
export function scanElf({ root, platform, ...options }: ScanElfInput): Promise<ElfReport> {
  return scanDirectory(root, platform, options);
}

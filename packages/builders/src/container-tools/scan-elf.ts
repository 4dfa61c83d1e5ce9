import { type BillFile, packBillFiles, scanDirectory, type ElfReport, type ElfScanOptions } from "@tgo/image";

export interface ScanElfInput extends ElfScanOptions {
  readonly root: string;
  readonly platform: string;
  /** Whether the files that a bill of materials is made of are returned too: they are read here anyway. */
  readonly bill?: boolean;
}

export interface ScanElfOutput extends ElfReport {
  /** As packBillFiles makes it. */
  readonly packedBill?: string;
}

/** Reads every file of an image natively; none of its programs runs. */
export async function scanElf({
  root,
  platform,
  bill = false,
  ...options
}: ScanElfInput): Promise<ScanElfOutput> {
  if (!bill) return scanDirectory(root, platform, options);
  const files = new Map<string, BillFile>();
  const report = await scanDirectory(root, platform, options, files);
  return { ...report, packedBill: packBillFiles(files) };
}

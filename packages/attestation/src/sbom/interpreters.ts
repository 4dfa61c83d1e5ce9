import type { BillFileKind } from "@tgo/image";
import type { Component } from "./bill.js";

type Interpreter = Pick<Component, "name" | "version" | "purl" | "cpe" | "license">;

/**
 * The interpreter that a C header belongs to. Docker's official images compile Python, and unpack Node: no database
 * lists them, but their headers stay. Advisories name them by CPE.
 * @returns undefined for another file, or one without a version
 */
export function readInterpreter(kind: BillFileKind, text: string): Interpreter | undefined {
  if (kind === "python header") {
    const version = /^#define\s+PY_VERSION\s+"([0-9][0-9A-Za-z.]*)\+?"/m.exec(text)?.[1];
    return version === undefined
      ? undefined
      : interpreter("python", version, { vendor: "python", license: "PSF-2.0" });
  }
  if (kind !== "node header") return undefined;
  const parts = ["MAJOR", "MINOR", "PATCH"].map(
    (part) => new RegExp(`^#define\\s+NODE_${part}_VERSION\\s+(\\d+)`, "m").exec(text)?.[1],
  );
  if (parts.includes(undefined)) return undefined;
  return interpreter("node", parts.join("."), { vendor: "nodejs", product: "node.js", license: "MIT" });
}

function interpreter(
  name: string,
  version: string,
  {
    vendor,
    product = name,
    license,
  }: { readonly vendor: string; readonly product?: string; readonly license: string },
): Interpreter {
  return {
    name,
    version,
    purl: `pkg:generic/${name}@${version}`,
    cpe: `cpe:2.3:a:${vendor}:${product}:${version}:*:*:*:*:*:*:*`,
    license: { expression: license },
  };
}

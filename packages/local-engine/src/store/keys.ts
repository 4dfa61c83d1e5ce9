import { createHash } from "node:crypto";
import { digestOf } from "@tgo/registry";

/** 132 bits: short, because a mount names all its layers in one page of text. */
export function keyOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("base64url").slice(0, 22);
}

/** `sha256:<hex>` of a text's UTF-8. */
export function textDigest(text: string): string {
  return digestOf(Buffer.from(text));
}

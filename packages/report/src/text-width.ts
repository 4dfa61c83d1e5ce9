import stringWidth from "string-width";

/** How many terminal columns a text takes: Chinese characters and emoji take two. */
export function textWidth(text: string): number {
  return stringWidth(text);
}

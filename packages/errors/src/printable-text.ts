/**
 * Text from a file, a registry or a program can contain sequences that colour, move the cursor or set a window's title,
 * marks that reverse the writing direction, and characters without a width: on a terminal it would change or hide what
 * is around it.
 */

/** Colours (SGR): build tools print them, and they hide nothing once removed. */
// eslint-disable-next-line no-control-regex
const COLOUR = /(?:\u001B\[|\u009B)[\d;:]*m/g;

/**
 * Control characters except the line feed and the tab, and Unicode's format characters.
 * @see https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing
 */
const UNPRINTABLE =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u00AD\u061C\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB]|\uDB40[\uDC00-\uDFFF]/g;

/** Untrusted text, its lines kept, and visible escapes for what would act on the terminal: `\u001b`. */
export function printableText(text: string): string {
  return escapeControls(text.replaceAll(COLOUR, "").replaceAll(/\r\n?|[\u0085\u2028\u2029]/g, "\n"));
}

/** The same for a whole document: in JSON, each escape still is the character that it stands for. */
export function escapeControls(text: string): string {
  return text.replaceAll(UNPRINTABLE, (found) =>
    Array.from(found.split(""), (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join(""),
  );
}

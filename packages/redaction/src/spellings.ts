/**
 * Regular expressions for everything that a program may print for a secret of one line: the secret itself; with any of
 * its characters percent-encoded, or escaped as in JSON, HTML or a shell; and its bytes in hexadecimal or base64, alone
 * or within the base64 of a longer text, such as `user:password` of an Authorization header.
 */
export function spellings(secret: string): RegExp[] {
  const written = Array.from(secret, spell).join("");
  // A short word or number is common as a part of others.
  const plain = secret.length < 12 && /^(?:[a-z]+|\d+)$/i.test(secret);
  const bytes = Buffer.from(secret);
  return [
    plain ? `(?<![A-Za-z0-9])${written}(?![A-Za-z0-9])` : written,
    bytes.toString("hex").replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`),
    ...[0, 1, 2].map((shift) => base64(bytes, shift)),
  ].map((pattern) => new RegExp(pattern, "g"));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "|&amp;",
  "<": "|&lt;",
  ">": "|&gt;",
  '"': "|&quot;|&#34;",
  "'": `|&apos;|&#39;|'\\\\''|'"'"'`,
  " ": "|\\+",
};

function spell(char: string): string {
  if (/[A-Za-z0-9]/.test(char)) return char;
  const code = char.charCodeAt(0);
  const percent = Array.from(Buffer.from(char), (byte) => `%${hex(byte, 2)}`).join("");
  // JavaScript's escape() and older forms encode Latin-1.
  const latin = code > 127 && code < 256 ? `|%${hex(code, 2)}` : "";
  const unicode = Array.from({ length: char.length }, (_, at) => `\\\\u${hex(char.charCodeAt(at), 4)}`).join(
    "",
  );
  return `(?:\\\\{0,3}${escaped(char)}|${percent}${latin}|${unicode}${ENTITIES[char] ?? ""})`;
}

/** The hexadecimal digits of a number, in either case. */
function hex(value: number, digits: number): string {
  return value
    .toString(16)
    .padStart(digits, "0")
    .replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
}

function escaped(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

/** The base64 characters that depend on these bytes alone, where they start at this offset modulo 3. */
function base64(bytes: Buffer, shift: number): string {
  const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
  const whole = text.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
  const pattern = whole.replaceAll("+", "(?:[+-]|%2[Bb])").replaceAll("/", "(?:[/_]|%2[Ff]|\\\\/)");
  // The last character may have bits of what follows; at the end it has none.
  return `${pattern}(?:[\\w+/-]?(?:=|%3[Dd]){1,2}|[\\w+/-](?![\\w+/-]))?`;
}

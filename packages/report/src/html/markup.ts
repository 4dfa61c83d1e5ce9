/** A piece of HTML; any other value put into a template is text. */
export class Markup {
  constructor(readonly html: string) {}
}

export type Part = Markup | string | number | undefined | readonly Part[];

/**
 * HTML from a template: html`<p title="${text}">${text}</p>`. Every value is escaped unless it is Markup itself, so no
 * text can become markup. Attributes must be in double quotes.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.reduce((page, string, index) => page + markupOf(parts[index - 1]) + string));
}

/** Text with its line breaks. */
export function withLineBreaks(text: string): Markup {
  return html`${text.split("\n").map((line, index) => (index === 0 ? line : html`<br />${line}`))}`;
}

/** A number with its unit. */
export function noWrap(text: string): Markup {
  return html`<span class="unbroken">${text}</span>`;
}

/** Lines that keep their spaces: a command to copy, or a command's output. */
export function preformatted(text: string, kind: "command" | "output"): Markup {
  // HTML drops a line break right after the tag. Output scrolls, with the keyboard too; a command is broken to be seen whole.
  return kind === "output"
    ? html`<pre class="output" tabindex="0"><code>${text}</code></pre>`
    : html`<pre class="command"><code>${text}</code></pre>`;
}

function markupOf(part: Part): string {
  if (part === undefined) return "";
  if (part instanceof Markup) return part.html;
  if (typeof part === "string" || typeof part === "number") return escaped(String(part));
  return part.map(markupOf).join("");
}

/** @see https://html.spec.whatwg.org/multipage/syntax.html#syntax-text */
function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** Links between pages, read as GitHub renders them: every relative link has a file, and every `#anchor` a heading. */
import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path/posix";
import GithubSlugger from "github-slugger";
import MarkdownIt from "markdown-it";

const markdown = new MarkdownIt({ html: true });

/** A page's links, in order, and the anchors of its headings. */
export function readPage(text) {
  const slugger = new GithubSlugger();
  const links = [];
  const anchors = new Set();
  const tokens = markdown.parse(text, {});
  for (const [index, { type, content, children }] of tokens.entries()) {
    if (type === "html_block" || type === "html_inline") links.push(...targetsOfHtml(content));
    for (const child of children ?? []) {
      if (child.type === "link_open") links.push(child.attrGet("href"));
      if (child.type === "image") links.push(child.attrGet("src"));
      if (child.type === "html_inline") links.push(...targetsOfHtml(child.content));
    }
    if (type === "heading_open")
      anchors.add(slugger.slug(tokens[index + 1].children.map((child) => child.content).join("")));
  }
  return { links, anchors };
}

const targetsOfHtml = (html) => [...html.matchAll(/\b(?:href|src)="([^"]+)"/g)].map(([, target]) => target);

/** Relative links of `paths` that lead nowhere, a line each. `read` gives a page's text, `exists` looks for a file. */
export function brokenLinks(paths, read, exists = existsSync) {
  const pages = new Map();
  const page = (path) => {
    if (!pages.has(path)) pages.set(path, readPage(read(path)));
    return pages.get(path);
  };
  return paths.flatMap((path) =>
    page(path)
      .links.filter((link) => !/^[a-z][a-z+.-]*:/i.test(link))
      .filter((link) => {
        const [file, anchor] = decodeURI(link).split("#");
        const target = file === "" ? path : normalize(join(dirname(path), file));
        if (!exists(target)) return true;
        return anchor !== undefined && target.endsWith(".md") && !page(target).anchors.has(anchor);
      })
      .map((link) => `${path}: ${link}`),
  );
}

import { describe, expect, it } from "vitest";
import { renderTable, renderText } from "../src/index.js";
import { cell, table, wrap } from "../src/table.js";
import { report, service } from "./sample.js";

const OPTIONS = { width: 40, indent: "", paintHeader: (text: string): string => text };

/** The terminal column at which a mark starts: these texts' Chinese characters and emoji take two columns each. */
function columnOf(line: string, mark: string): number {
  const before = Array.from(line.slice(0, line.indexOf(mark)));
  return before.reduce((sum, character) => sum + (character > "\u{2fff}" ? 2 : 1), 0);
}

describe("a table", () => {
  it("aligns its columns where cells are Chinese or emoji", () => {
    const lines = table(
      ["service", "state"],
      [
        [cell("tgo-api"), cell("done")],
        [cell("客服平台"), cell("done")],
        [cell("🚀 web"), cell("done")],
      ],
      OPTIONS,
    );
    expect(lines).toEqual(["service   state", "tgo-api   done", "客服平台  done", "🚀 web    done"]);
    expect(new Set(lines.slice(1).map((line) => columnOf(line, "done")))).toEqual(new Set([10]));
  });

  it("aligns to the right by columns too", () => {
    const right = { align: "right" } as const;
    const lines = table(
      ["size", "name"],
      [
        [cell("九", right), cell("x")],
        [cell("1234", right), cell("x")],
      ],
      OPTIONS,
    );
    expect(lines).toEqual(["size  name", "  九  x", "1234  x"]);
  });

  it("wraps its last column into the columns that are left", () => {
    const lines = table(
      ["service", "note"],
      [[cell("tgo-api"), cell("镜像 已经 发布 到 所有 的 仓库 里面 了")]],
      OPTIONS,
    );
    expect(lines).toEqual(["service  note", "tgo-api  镜像 已经 发布 到 所有 的 仓库", "         里面 了"]);
    expect(Math.max(...lines.map((line) => columnOf(`${line}\n`, "\n")))).toBeLessThanOrEqual(40);
  });

  it("is painted after it is padded, so that colours take no column", () => {
    const red = (text: string): string => `<red>${text}</red>`;
    const lines = table(["a", "b"], [[cell("中", { paint: red }), cell("x")]], OPTIONS);
    expect(lines).toEqual(["a   b", "<red>中</red>  x"]);
  });
});

describe("a wrapped line", () => {
  it.each([
    ["counts a Chinese character as two columns", "中文 中文 中文", 9, ["中文 中文", "中文"]],
    ["keeps a word that is too long whole", "路径/很长的文件名 x", 6, ["路径/很长的文件名", "x"]],
    ["keeps an indented line, which is program output", "  中文 中文 中文", 6, ["  中文 中文 中文"]],
    ["fits exactly", "ab 中文", 7, ["ab 中文"]],
  ])("%s", (_, line, width, expected) => {
    expect(wrap(line, width)).toEqual(expected);
  });
});

it("A list aligns its columns where a registry's text is Chinese", () => {
  const rows = [
    ["阿里云", "未知: 无法连接", "x"],
    ["ghcr", "1.2.3", "x"],
  ];
  expect(renderTable(["registry", "latest", "end"], rows, "text").split("\n")).toEqual([
    "  registry  latest          end",
    "  阿里云    未知: 无法连接  x",
    "  ghcr      1.2.3           x",
  ]);
});

it("A report aligns its tables and wraps its notes where a service's name and notes are Chinese", () => {
  const note = "依赖 没有 轮子 所以 从 源码 构建 而且 没有 使用 模拟 并且 已经 检查 过 所有 文件";
  const text = renderText(report({ services: [service("客服"), service("tgo-web", { notes: [note] })] }), {
    width: 50,
  });
  const rows = text.split("\n").filter((line) => /^(客服|tgo-web) .* done/.test(line));
  expect(rows.map((line) => columnOf(line, "done"))).toEqual([29, 29]);
  const digests = text.split("\n").filter((line) => line.includes("sha256:"));
  // Wider than the terminal: it begins at its edge.
  expect(digests.map((line) => columnOf(line, "sha256:"))).toEqual([0, 0]);
  const notes = text.split("\n").filter((line) => /依赖|文件/.test(line));
  expect(notes).toHaveLength(2);
  for (const line of notes) expect(columnOf(`${line}\n`, "\n")).toBeLessThanOrEqual(50);
});

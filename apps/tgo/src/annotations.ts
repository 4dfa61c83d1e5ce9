import { findings, type Report } from "@tgo/report";
import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";

/**
 * GitHub's annotations of a failed run: they appear on the run's page, and on a pull request's files where a problem is in
 * one. A problem of many places is told once, with the first of them.
 * @see https://docs.github.com/actions/reference/workflow-commands-for-github-actions#setting-an-error-message
 * @param folder of the checkout, for paths of files
 */
export function annotations(report: Report, folder: string): string[] {
  const lines = findings(report).map(({ problem, service, registry }) => {
    const place = [service, registry].filter((part) => part !== undefined).join(" in ");
    const title = [problem.code, place].filter((part) => part !== "").join(": ");
    const file = fileOf(problem.where, folder);
    const properties = [
      ...(file === undefined ? [] : [`file=${property(file)}`]),
      `title=${property(title)}`,
    ];
    const where = file === undefined && problem.where !== undefined ? [`at ${problem.where}`] : [];
    const message = [problem.what, ...where, ...(problem.remedy === undefined ? [] : [problem.remedy])];
    return {
      key: JSON.stringify([problem.what, problem.remedy]),
      line: `::error ${properties.join(",")}::${data(message.join("\n"))}`,
    };
  });
  const first = lines.filter(({ key }, index) => lines.findIndex((other) => other.key === key) === index);
  return first.map(({ line }) => line);
}

/** The path in the checkout, if a location is a file of it. */
function fileOf(where: string | undefined, folder: string): string | undefined {
  if (where === undefined || where.includes("\n")) return undefined;
  const path = resolve(folder, where);
  const inside = relative(folder, path);
  return inside !== "" && !inside.startsWith("..") && existsSync(path) ? inside : undefined;
}

/** @see https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts */
function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

import { type Output, wantsColor } from "../output.js";
import type { CommandProcess } from "../command-process.js";
import type { Redactor } from "@tgo/redaction";
import type { Display, ProgressMode } from "./display.js";
import { liveDisplay } from "./live.js";
import { plainDisplay } from "./plain.js";
import { logSection } from "./log-section.js";
import { quietDisplay } from "./quiet.js";

/** The display for this terminal: live on an interactive one, plain lines everywhere else. */
export function openDisplay(
  mode: ProgressMode,
  { stderr, env }: Pick<CommandProcess, "stderr" | "env">,
  output: Output,
  redaction: Redactor,
): Display {
  const inCi = (env.CI ?? "") !== "" && env.CI !== "false";
  const isInteractive = stderr.isTTY === true && env.TERM !== "dumb" && !inCi;
  switch (mode === "auto" ? (isInteractive ? "live" : "plain") : mode) {
    case "live":
      return liveDisplay(stderr, {
        color: wantsColor(stderr, env),
        clean: (text) => redaction.clean(text),
      });
    case "quiet":
      return quietDisplay(output.err);
    default:
      return plainDisplay(output.err, undefined, logSection({ stderr, env }));
  }
}

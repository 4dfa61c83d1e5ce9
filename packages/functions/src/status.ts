import { selectServices } from "@tgo/catalog";
import { statusOf } from "@tgo/publishing";
import { renderStatus, type OutputFormat } from "@tgo/report";
import { openContext, type Call } from "./call.js";
import { nameCommands } from "./commands.js";

/** Shows what `latest`, the floating tags and the newest version point to in every registry. */
export async function status(call: Call, names: readonly string[], format: OutputFormat): Promise<string> {
  const context = await openContext(call);
  const selected = selectServices(context.catalog, names);
  const { rows, disagreements } = await statusOf(context, selected, context.catalog.release);
  const named = disagreements.map(({ remedy, ...found }) =>
    remedy === undefined ? found : { ...found, remedy: nameCommands(remedy, context.command) },
  );
  return renderStatus({ rows, disagreements: named }, format, call.host.columns);
}

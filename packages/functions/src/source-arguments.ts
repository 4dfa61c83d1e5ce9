import type { Directory } from "@dagger.io/dagger";
import { checkValues, type PrepareOptions } from "@tgo/builders";
import { selectServices, type Service } from "@tgo/catalog";
import { defined } from "@tgo/report";
import type { Arguments } from "./commands.js";
import type { Context } from "./context.js";
import type { ShellArguments } from "./shell-arguments.js";

/** Arguments of functions that read a source. */
export type SourceArguments = ShellArguments<{
  source: Directory;
  /** Source commit. */
  revision: string;
  /** Commit time: RFC 3339, or seconds since 1970. */
  created: string;
  /** Build values, NAME=value. */
  value: readonly string[];
}>;

/** The flags that say the same again. */
export function sourceFlags({ source, revision, created, value }: SourceArguments): Arguments {
  return { source, revision, created, value };
}

export interface SelectedService {
  readonly name: string;
  readonly service: Service;
}

/** @throws TgoError USAGE for an unknown service, or a build value that no selected service declares */
export function selectBuilds(
  context: Context,
  names: readonly string[],
  source: SourceArguments,
): readonly SelectedService[] {
  const selected = selectServices(context.catalog, names);
  checkValues(source.value ?? [], selected);
  return selected;
}

export function prepareOptions({ value: values, ...rest }: SourceArguments): PrepareOptions {
  const { source, revision, created } = rest;
  return defined({ source, revision, created, values });
}

/**
 * The API of the Dagger module: its functions, their arguments and their documentation. Generated from the module's
 * source by the SDK's introspector, so the command line is derived and not written twice.
 */
export interface ModuleApi {
  readonly name: string;
  readonly description: string;
  readonly constructor: { readonly arguments: readonly Argument[] };
  readonly functions: readonly ModuleFunction[];
  readonly enums: Readonly<Record<string, EnumType>>;
}

export interface ModuleFunction {
  /** The method, camelCase. */
  readonly name: string;
  /** The command, kebab-case. */
  readonly command: string;
  readonly description: string;
  readonly arguments: readonly Argument[];
  readonly returns: Type;
}

export interface Argument {
  /** camelCase */
  readonly name: string;
  /** kebab-case, without leading dashes */
  readonly flag: string;
  readonly description: string;
  readonly type: Type;
  readonly optional: boolean;
  readonly default?: unknown;
  /** For a directory that defaults to one around the caller. */
  readonly contextual?: { readonly defaultPath: string; readonly ignore?: readonly string[] };
}

export interface Type {
  readonly kind: "string" | "integer" | "boolean" | "enum" | "object" | "list" | "void";
  /** Of an enum or an object: "Directory", "File", "Secret", "Service", "Container". */
  readonly name?: string;
  /** Of a list: the type of its items. */
  readonly of?: Type;
}

export interface EnumType {
  readonly description: string;
  readonly values: readonly { readonly name: string; readonly value: string; readonly description: string }[];
}

/** Whether a function returns a report: only reports can be rendered as HTML. */
export function makesReport(fn: ModuleFunction, moduleApi: ModuleApi): boolean {
  return hasFormat(fn, "html", moduleApi);
}

/** Whether a function's result is for people to read; another, such as a base lock or an SBOM, is a file's content. */
export function returnsText(fn: ModuleFunction, moduleApi: ModuleApi): boolean {
  return hasFormat(fn, "text", moduleApi);
}

function hasFormat(fn: ModuleFunction, format: string, { enums }: ModuleApi): boolean {
  return fn.arguments.some(({ name, type }) => {
    const values = enums[type.name ?? ""]?.values ?? [];
    return name === "format" && values.some(({ value }) => value === format);
  });
}

/**
 * The argument that words without a flag are for: `tgo inspect ghcr.io/a/b:1`. It is the one named `reference`: everybody
 * writes an image's reference this way.
 */
export function positionalOf(
  fn: ModuleFunction,
): { readonly argument: Argument; readonly name: string } | undefined {
  const argument = fn.arguments.find(({ name }) => name === "reference");
  if (argument === undefined) return undefined;
  return { argument, name: argument.type.kind === "list" ? "[reference...]" : "[reference]" };
}

/** Whether a function returns a folder, which needs a place to be written to. */
export function returnsFolder({ returns }: ModuleFunction): boolean {
  return returns.kind === "object" && returns.name === "Directory";
}

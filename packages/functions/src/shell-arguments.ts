/** Arguments as a shell passes them: omitted ones are undefined or absent. */
export type ShellArguments<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** Arguments as a shell passes them: what its caller left out is undefined, or absent. */
export type ShellArguments<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** `repository:<name>:<action>,<action>`: https://distribution.github.io/distribution/spec/auth/scope/ */
export type Scope = string;

export interface Access {
  /**
   * Request permission to push. A registry that creates repositories on the first push responds 401 to a client
   * that may only read, as long as the repository does not exist.
   */
  readonly push?: boolean;
  /** Pushed a moment ago by another client: "not found" is retried for a while, because registries lag. */
  readonly fresh?: boolean;
}

export function pullScope(repository: string): Scope {
  return `repository:${repository}:pull`;
}

export function pushScope(repository: string): Scope {
  return `repository:${repository}:pull,push`;
}

export function deleteScope(repository: string): Scope {
  return `repository:${repository}:delete,pull`;
}

export function scopeFor(repository: string, { push = false }: Access): Scope {
  return push ? pushScope(repository) : pullScope(repository);
}

/** The repository of a scope. */
export function repositoryOf(scope: Scope): string {
  return parse(scope).name;
}

/** One key for one set of scopes. */
export function keyOf(scopes: readonly Scope[]): string {
  return [...scopes].sort().join(" ");
}

/** Whether a token for this key's scopes grants everything the others need. */
export function grants(key: string, scopes: readonly Scope[]): boolean {
  const granted = key.split(" ").map(parse);
  return scopes
    .map(parse)
    .every(({ name, actions }) =>
      granted.some(
        (other) => other.name === name && actions.every((action) => other.actions.includes(action)),
      ),
    );
}

/**
 * Our scopes, plus the actions that a challenge adds for the same repositories. Other repositories in it are
 * ignored: GHCR's challenge on `/v2/` names a placeholder.
 */
export function widen(scopes: readonly Scope[], challenged: string | undefined): Scope[] {
  const added = (challenged ?? "").split(" ").filter(Boolean).map(parse);
  return scopes.map((scope) => {
    const { name, actions } = parse(scope);
    const more = added.filter((other) => other.name === name).flatMap((other) => other.actions);
    return `repository:${name}:${[...new Set([...actions, ...more])].join(",")}`;
  });
}

function parse(scope: Scope): { name: string; actions: string[] } {
  const [, name = "", actions = ""] = /^[a-z]+(?:\([a-z]+\))?:(.*):([^:]*)$/.exec(scope) ?? [];
  return { name, actions: actions.split(",") };
}

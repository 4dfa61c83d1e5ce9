/** `repository:<name>:<action>,<action>`: https://distribution.github.io/distribution/spec/auth/scope/ */
export type Scope = string;

export interface Access {
  /**
   * Ask with the right to push. A registry that creates repositories on the first push answers 401 to who may
   * only read one that is not there yet.
   */
  readonly push?: boolean | undefined;
  /** Somebody else has just put it: absent is not believed at once, since registries were seen to lag. */
  readonly fresh?: boolean | undefined;
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

/** The repository that a scope is for. */
export function repositoryOf(scope: Scope): string {
  return parse(scope).name;
}

/** One text for one set of scopes. */
export function keyOf(scopes: readonly Scope[]): string {
  return [...scopes].sort().join(" ");
}

/** Whether who holds the scopes of this key may do all that the others need. */
export function grants(key: string, scopes: readonly Scope[]): boolean {
  const held = key.split(" ").map(parse);
  return scopes
    .map(parse)
    .every(({ name, actions }) =>
      held.some((other) => other.name === name && actions.every((action) => other.actions.includes(action))),
    );
}

/**
 * Our scopes, and what a challenge adds for the same repositories. What it says of others is not ours: GHCR's
 * challenge on `/v2/` names a placeholder.
 */
export function widen(scopes: readonly Scope[], challenged: string | undefined): Scope[] {
  const asked = (challenged ?? "").split(" ").filter(Boolean).map(parse);
  return scopes.map((scope) => {
    const { name, actions } = parse(scope);
    const more = asked.filter((other) => other.name === name).flatMap((other) => other.actions);
    return `repository:${name}:${[...new Set([...actions, ...more])].join(",")}`;
  });
}

function parse(scope: Scope): { name: string; actions: string[] } {
  const [, name = "", actions = ""] = /^[a-z]+(?:\([a-z]+\))?:(.*):([^:]*)$/.exec(scope) ?? [];
  return { name, actions: actions.split(",") };
}

import { createHash, randomBytes } from "node:crypto";
import { TgoError } from "@tgo/errors";
import { lazy, type Lazy } from "./lazy.js";

/** An object of the API that nobody has asked anything of yet: what it is follows from the calls that led to it. */
export interface Value {
  /** Its GraphQL type. */
  readonly type: string;
  readonly id: string;
  readonly state: Lazy<unknown>;
}

/**
 * The objects of a session, by id. An id is the digest of the calls, so the same calls lead to the same object and
 * their work is done once. It is salted: a secret's plaintext is an argument like any other.
 */
export class Values {
  readonly #salt = randomBytes(16).toString("hex");
  readonly #byId = new Map<string, Value>();

  derive(type: string, calls: readonly unknown[], make: () => unknown): Value {
    const text = JSON.stringify([this.#salt, type, calls]);
    const id = createHash("sha256").update(text).digest("base64url");
    const value = this.#byId.get(id) ?? { type, id, state: lazy(make) };
    this.#byId.set(id, value);
    return value;
  }

  /** @throws TgoError USAGE for an id of another session or of another type */
  get(id: string, type?: string): Value {
    const value = this.#byId.get(id);
    if (!value) throw new TgoError("USAGE", "this id is not one of this session", { where: id });
    if (type !== undefined && value.type !== type)
      throw new TgoError("USAGE", `this is the id of a ${value.type}, a ${type} is needed`, { where: id });
    return value;
  }
}

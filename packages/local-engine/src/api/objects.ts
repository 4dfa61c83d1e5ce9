import { createHash, randomBytes } from "node:crypto";
import { TgoError } from "@tgo/errors";
import { lazy, type Lazy } from "../lazy.js";

/** An object of the API. Its state is evaluated on first use; until then it is only the calls that led to it. */
export interface ApiObject {
  /** Its GraphQL type. */
  readonly type: string;
  readonly id: string;
  readonly state: Lazy<unknown>;
}

/**
 * A session's objects, by id. An id is the digest of the calls, so the same calls lead to the same object and their work is
 * done once. It is salted, because a secret's plaintext is an argument like any other.
 */
export class ApiObjects {
  readonly #salt = randomBytes(16).toString("hex");
  readonly #byId = new Map<string, ApiObject>();

  derive(type: string, calls: readonly unknown[], evaluate: () => unknown): ApiObject {
    const text = JSON.stringify([this.#salt, type, calls]);
    const id = createHash("sha256").update(text).digest("base64url");
    const object = this.#byId.get(id) ?? { type, id, state: lazy(evaluate) };
    this.#byId.set(id, object);
    return object;
  }

  /** @throws TgoError USAGE for an id of another session or type */
  get(id: string, type?: string): ApiObject {
    const object = this.#byId.get(id);
    if (!object) throw new TgoError("USAGE", "this id is not from this session", { where: id });
    if (type !== undefined && object.type !== type)
      throw new TgoError("USAGE", `this is the id of a ${object.type}, not of a ${type}`, { where: id });
    return object;
  }
}

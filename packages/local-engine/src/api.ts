import {
  GraphQLError,
  buildSchema,
  execute,
  getNamedType,
  isObjectType,
  parse,
  validate,
  type ExecutionResult,
  type GraphQLResolveInfo,
  type GraphQLSchema,
} from "graphql";
import { isTgoError } from "@tgo/errors";
import { diskFull } from "./command.js";
import type { Context } from "./context.js";
import { ExecFailure } from "./exec.js";
import { containerFields } from "./resolvers/container.js";
import { directoryFields, fileFields } from "./resolvers/directory.js";
import type { Fields, Session } from "./resolvers/fields.js";
import { hostFields, queryFields, secretFields, serviceFields } from "./resolvers/query.js";
import { SDL } from "./schema.graphql.js";
import { Values, type Value } from "./values.js";

/** What answers each field of the schema; `id` is everyone's. */
export const FIELDS: Readonly<Record<string, Fields<never>>> = {
  Query: queryFields,
  Container: containerFields,
  Directory: directoryFields,
  File: fileFields,
  Host: hostFields,
  Secret: secretFields,
  Service: serviceFields,
};

/** Dagger's API over a context: GraphQL in, GraphQL out. */
export class Api {
  readonly #schema: GraphQLSchema = buildSchema(SDL);
  readonly #values = new Values();
  readonly #root: Value;
  readonly #session: Session;

  constructor(cx: Context) {
    this.#root = this.#values.derive("Query", [], () => ({}));
    this.#session = {
      cx,
      values: this.#values,
      load: async <S>(id: string, type: string) => (await this.#values.get(id, type).state.get()) as S,
    };
  }

  async answer(query: string, variables?: Record<string, unknown>): Promise<ExecutionResult> {
    try {
      const document = parse(query);
      const problems = validate(this.#schema, document);
      if (problems.length > 0) return { errors: problems.map(notServed) };
      const { errors, ...result } = await execute({
        schema: this.#schema,
        document,
        rootValue: this.#root,
        variableValues: variables,
        fieldResolver: (source, args: Record<string, unknown>, _, info) =>
          this.#resolve(source as Value, args, info),
        typeResolver: (value) => (value as Value).type,
      });
      return errors ? { ...result, errors: errors.map(explained) } : result;
    } catch (error) {
      if (error instanceof GraphQLError) return { errors: [error] };
      throw error;
    }
  }

  /** An object stays a promise of itself until something plain is asked of it: that is when work is done. */
  #resolve(self: Value, args: Record<string, unknown>, info: GraphQLResolveInfo): unknown {
    const { fieldName, parentType, returnType } = info;
    if (fieldName === "id") return self.id;
    const field = FIELDS[parentType.name]?.[fieldName];
    if (!field) throw new Error(`${parentType.name}.${fieldName} is in the schema and has no resolver`);
    const make = async (): Promise<unknown> =>
      field((await self.state.get()) as never, args as never, this.#session, self);
    const type = getNamedType(returnType);
    return isObjectType(type) ? this.#values.derive(type.name, [self.id, fieldName, args], make) : make();
  }
}

const OTHER_ENGINE =
  "use Dagger's engine for it (it needs Docker or another container runtime: https://docs.dagger.io/install)";

/** What the real API has and this engine leaves out, in words; other faults of a query as they are. */
function notServed(problem: GraphQLError): GraphQLError {
  const [, field, type] = /^Cannot query field "(\w+)" on type "(\w+)"/.exec(problem.message) ?? [];
  if (field !== undefined && type !== undefined)
    return new GraphQLError(`The embedded engine does not serve ${type}.${field}; ${OTHER_ENGINE}.`);
  const [, argument, of] = /^Unknown argument "(\w+)" on field "([\w.]+)"/.exec(problem.message) ?? [];
  if (argument !== undefined && of !== undefined)
    return new GraphQLError(
      `The embedded engine does not serve the argument ${argument} of ${of}; ${OTHER_ENGINE}.`,
    );
  const [, unknown] = /^Unknown type "(\w+)"/.exec(problem.message) ?? [];
  if (unknown !== undefined)
    return new GraphQLError(`The embedded engine does not serve ${unknown}; ${OTHER_ENGINE}.`);
  return problem;
}

/** A failed command as the SDK's ExecError; every other error by its message, which says all. */
function explained(error: GraphQLError): GraphQLError {
  const original = error.originalError;
  const isFull = original !== undefined && "code" in original && original.code === "ENOSPC";
  const cause = isFull ? diskFull(original) : original;
  const { path, nodes, source, positions } = error;
  const extensions =
    cause instanceof ExecFailure
      ? {
          _type: "EXEC_ERROR",
          cmd: cause.cmd,
          exitCode: cause.exitCode,
          stdout: cause.stdout,
          stderr: cause.stderr,
        }
      : isTgoError(cause)
        ? { code: cause.code, where: cause.where, remedy: cause.remedy }
        : {};
  return new GraphQLError(cause?.message ?? error.message, { path, nodes, source, positions, extensions });
}

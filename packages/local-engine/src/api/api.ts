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
import { isDiskFull, isTgoError } from "@tgo/errors";
import type { EngineContext } from "../engine-context.js";
import { damaged, diskFull, isOfStore } from "../errors.js";
import { ExecFailure } from "../exec/exec-failure.js";
import { ApiObjects, type ApiObject } from "./objects.js";
import { containerFields } from "./resolvers/container.js";
import { directoryFields } from "./resolvers/directory.js";
import type { Fields, Session } from "./resolvers/field.js";
import { fileFields } from "./resolvers/file.js";
import { hostFields } from "./resolvers/host.js";
import { queryFields } from "./resolvers/query.js";
import { secretFields } from "./resolvers/secret.js";
import { serviceFields } from "./resolvers/service.js";
import { SDL } from "./schema.graphql.js";

/** The resolver of each field of the schema, except `id`, which every type has. */
export const FIELDS: Readonly<Record<string, Fields<never>>> = {
  Query: queryFields,
  Container: containerFields,
  Directory: directoryFields,
  File: fileFields,
  Host: hostFields,
  Secret: secretFields,
  Service: serviceFields,
};

/** Executes GraphQL queries of Dagger's API. */
export class Api {
  readonly #schema: GraphQLSchema = buildSchema(SDL);
  readonly #objects = new ApiObjects();
  readonly #root: ApiObject;
  readonly #session: Session;
  readonly #home: string;

  constructor(cx: EngineContext) {
    this.#home = cx.store.home;
    this.#root = this.#objects.derive("Query", [], () => ({}));
    this.#session = {
      cx,
      objects: this.#objects,
      load: async <S>(id: string, type: string) => (await this.#objects.get(id, type).state.get()) as S,
    };
  }

  async execute(query: string, variables?: Record<string, unknown>): Promise<ExecutionResult> {
    try {
      const document = parse(query);
      const problems = validate(this.#schema, document);
      if (problems.length > 0) return { errors: problems.map(unsupported) };
      const { errors, ...result } = await execute({
        schema: this.#schema,
        document,
        rootValue: this.#root,
        variableValues: variables,
        fieldResolver: (source, args: Record<string, unknown>, _, info) =>
          this.#resolve(source as ApiObject, args, info),
        typeResolver: (value) => (value as ApiObject).type,
      });
      return errors ? { ...result, errors: errors.map((error) => withCause(error, this.#home)) } : result;
    } catch (error) {
      if (error instanceof GraphQLError) return { errors: [error] };
      throw error;
    }
  }

  /** Objects are lazy: work is done only when a plain value is requested. */
  #resolve(self: ApiObject, args: Record<string, unknown>, info: GraphQLResolveInfo): unknown {
    const { fieldName, parentType, returnType } = info;
    if (fieldName === "id") return self.id;
    const field = FIELDS[parentType.name]?.[fieldName];
    if (!field) throw new Error(`${parentType.name}.${fieldName} is in the schema but has no resolver`);
    const resolve = async (): Promise<unknown> =>
      field((await self.state.get()) as never, args as never, this.#session, self);
    const type = getNamedType(returnType);
    return isObjectType(type)
      ? this.#objects.derive(type.name, [self.id, fieldName, args], resolve)
      : resolve();
  }
}

const OTHER_ENGINE =
  "use Dagger's engine, which needs Docker or another container runtime: https://docs.dagger.io/install";

/** Explains a part of the real API that this engine does not support; other errors stay as they are. */
function unsupported(problem: GraphQLError): GraphQLError {
  const [, field, type] = /^Cannot query field "(\w+)" on type "(\w+)"/.exec(problem.message) ?? [];
  if (field !== undefined && type !== undefined)
    return new GraphQLError(`The local engine does not support ${type}.${field}; ${OTHER_ENGINE}`);
  const [, argument, of] = /^Unknown argument "(\w+)" on field "([\w.]+)"/.exec(problem.message) ?? [];
  if (argument !== undefined && of !== undefined)
    return new GraphQLError(
      `The local engine does not support the argument ${argument} of ${of}; ${OTHER_ENGINE}`,
    );
  const [, unknown] = /^Unknown type "(\w+)"/.exec(problem.message) ?? [];
  if (unknown !== undefined)
    return new GraphQLError(`The local engine does not support ${unknown}; ${OTHER_ENGINE}`);
  return problem;
}

/**
 * A failed command as the SDK's ExecError; any other error with its own message and code.
 * @param home the engine's folder, named when its disk is full
 */
function withCause(error: GraphQLError, home: string): GraphQLError {
  const original = error.originalError;
  const cause = isDiskFull(original)
    ? diskFull(original, home)
    : isOfStore(original, home)
      ? damaged(original, home)
      : original;
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
        ? { code: cause.code, what: cause.what, where: cause.where, remedy: cause.remedy }
        : {};
  return new GraphQLError(cause?.message ?? error.message, {
    path: path ?? null,
    nodes: nodes ?? null,
    source: source ?? null,
    positions: positions ?? null,
    extensions,
  });
}

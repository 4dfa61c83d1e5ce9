import type { ModuleInstance } from "./loaded-module.js";
import type { Argument, ModuleApi, ModuleFunction } from "./module-api.js";

const APPLY = "pruneApply";

const REMOVE: Argument = {
  name: "remove",
  flag: "remove",
  description: "Delete the tags instead of only listing them.",
  type: { kind: "boolean" },
  optional: true,
  default: false,
};

/**
 * The module's API as the command has it: `prune --remove` is the module's function prune-apply. A module calls another
 * function rather than a flag, so that nobody who may list can remove.
 */
export function commandApi(api: ModuleApi): ModuleApi {
  return {
    ...api,
    functions: api.functions.flatMap((fn) => {
      if (fn.name === APPLY) return [];
      return fn.name === "prune" ? [withRemove(fn)] : [fn];
    }),
  };
}

function withRemove(fn: ModuleFunction): ModuleFunction {
  const description = fn.description.replace(/^.*$/m, (line) =>
    line.replace(", and remove nothing.", "; --remove deletes them."),
  );
  return { ...fn, description, arguments: [...fn.arguments, REMOVE] };
}

/** The module with a method for {@link commandApi}'s `prune`. */
export function withPrune(module: object): ModuleInstance {
  const instance = module as ModuleInstance;
  const methods = {
    prune: (...args: unknown[]): Promise<unknown> => {
      const called = args.at(-1) === true ? instance[APPLY] : instance["prune"];
      if (called === undefined) throw new Error("the module has no method to prune with");
      return called.apply(instance, args.slice(0, -1));
    },
  };
  return Object.assign(Object.create(instance) as ModuleInstance, methods);
}

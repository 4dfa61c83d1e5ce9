import { TgoError } from "@tgo/errors";
import type { ServiceState } from "../../state.js";
import type { Fields } from "./field.js";

/** A service of the host is only an address: there is nothing to start. */
function hostService(state: ServiceState): ServiceState & { kind: "host" } {
  if (state.kind === "host") return state;
  throw new TgoError(
    "USAGE",
    "the local engine runs a container's service only while a command is bound to it",
    { remedy: "use withServiceBinding" },
  );
}

export const serviceFields = {
  endpoint: (state: ServiceState, { port, scheme }: { port?: number; scheme: string }) => {
    const { host, ports } = hostService(state);
    const { backend } = ports.find(({ frontend }) => frontend === port) ?? ports[0] ?? {};
    if (backend === undefined) throw new TgoError("USAGE", "the service has no port");
    return `${scheme === "" ? "" : `${scheme}://`}${host}:${backend}`;
  },
  start: (state: ServiceState, _: object, __, self) => {
    hostService(state);
    return self.id;
  },
  /** Nothing to stop: a container's service ends with the command it is bound to. */
  stop: (_: ServiceState, __: object, ___, self) => self.id,
} satisfies Fields<ServiceState>;

import { useEffect, useState } from "react";

import { config } from "./config";
import { fetchHealth, type Health } from "./health";

type Api = { state: "asking" } | { state: "up"; health: Health } | { state: "down"; why: string };

export function App() {
  const [api, setApi] = useState<Api>({ state: "asking" });

  useEffect(() => {
    const abort = new AbortController();
    fetchHealth(abort.signal).then(
      (health) => setApi({ state: "up", health }),
      (error: unknown) => {
        if (!abort.signal.aborted) setApi({ state: "down", why: String(error) });
      },
    );
    return () => abort.abort();
  }, []);

  return (
    <main>
      <h1>TGO (sample)</h1>
      <dl>
        <dt>Web</dt>
        <dd>version {config.version}</dd>
        <dt>API</dt>
        <dd>{config.apiBaseUrl}</dd>
        <dd>
          {api.state === "asking" && "asking…"}
          {api.state === "up" && `${api.health.status}, version ${api.health.version}, ${api.health.machine}`}
          {api.state === "down" && `cannot be reached: ${api.why}`}
        </dd>
      </dl>
    </main>
  );
}

import { config } from "./config";

/** The answer of tgo-api's GET /health, as far as this page shows it. */
export interface Health {
  status: string;
  version: string;
  machine: string;
}

export async function fetchHealth(signal: AbortSignal): Promise<Health> {
  const response = await fetch(`${config.apiBaseUrl}/health`, { signal });
  if (!response.ok) throw new Error(`${config.apiBaseUrl}/health answered ${response.status}`);
  return (await response.json()) as Health;
}
